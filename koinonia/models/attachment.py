from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models

from koinonia.models.church import Church

TOKEN_BYTES = 24


def new_token() -> str:
    """Return a random token for an unguessable URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class Attachment(models.Model):
    """A file that staff uploaded to send it with a text. The provider fetches it by its URL.

    The bytes are a column: every web process of a cluster can serve them, and a backup of the
    database contains them (decision 81).
    """

    # An index below begins with it.
    church = models.ForeignKey(Church, models.CASCADE, related_name="attachments", db_index=False)
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    """The secret of the URL: every client with the token can read the file."""
    name = models.CharField(max_length=100)
    """The name of the uploaded file, for people."""
    kind = models.CharField(max_length=40)
    """The media type, found in the content."""
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    """SHA-256 of the content: the same file is stored once."""
    content = models.BinaryField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    keep_until = models.DateTimeField()
    """The deletion may not come before. Each use moves it on."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["church", "digest"], name="attachment_once_per_church"),
        ]
        indexes = [models.Index(fields=["keep_until"], name="attachment_keep_until")]

    def __str__(self) -> str:
        return self.name
