from __future__ import annotations

from django.conf import settings
from django.db import models


class TokenDetails(models.Model):
    """Columns that the project adds to a Bearer token of knox.

    A token without this row was made by a release that did not know it; its first use adds the row.
    """

    # No constraint in the database: the earlier release deletes tokens and does not know this table.
    token = models.OneToOneField(
        "knox.AuthToken", models.CASCADE, related_name="details", db_constraint=False
    )
    name = models.CharField(max_length=100, blank=True)
    """Given by the user; empty for a token that a login made."""
    fingerprint = models.CharField(max_length=64)
    """SHA-256 of the user's password hash when the token was made: another password ends it."""
    last_used = models.BigIntegerField(null=True)
    """Unix time in seconds, exact to a minute; None: never."""

    class Meta:
        verbose_name_plural = "token details"

    def __str__(self) -> str:
        return self.name or "login"


class UserSession(models.Model):
    """The user of a session, which Django keeps inside the session's signed data alone."""

    session_key = models.CharField(max_length=40, primary_key=True)
    # No constraint in the database: a user may be deleted while a session of theirs is saved.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False
    )

    def __str__(self) -> str:
        return f"A session of user {self.user_id}"
