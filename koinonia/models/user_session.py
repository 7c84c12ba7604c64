from __future__ import annotations

from django.conf import settings
from django.db import models


class UserSession(models.Model):
    """The user of a session, which Django keeps inside the session's signed data alone."""

    session_key = models.CharField(max_length=40, primary_key=True)
    # No constraint in the database: a user may be deleted while a session of theirs is saved.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False
    )

    def __str__(self) -> str:
        return f"A session of user {self.user_id}"
