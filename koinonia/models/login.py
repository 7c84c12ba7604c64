from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from koinonia.models.church import Church


class KeyScope(models.TextChoices):
    """A part of the rights of a user, for an API key (docs/decisions/0093)."""

    READ = "read", _("Read")
    """Reads the data of the churches, and follows their events."""
    SEND = "send", _("Send")
    """Sends texts and broadcasts, answers, and sends dead letters again."""
    PEOPLE = "people", _("People")
    """Reads and changes members, groups and notes about people."""


class TokenDetails(models.Model):
    """Columns that the project adds to knox's Bearer tokens.

    A token from an earlier release gets its row on the first use.
    """

    # An earlier release deletes tokens and does not know this table: use no database constraint.
    token = models.OneToOneField(
        "knox.AuthToken", models.CASCADE, related_name="details", db_constraint=False
    )
    name = models.CharField(max_length=100, blank=True)
    """The name that the user chose; empty for a token of a login."""
    fingerprint = models.CharField(max_length=64)
    """SHA-256 of the password hash on creation: a password change invalidates the token."""
    last_used = models.BigIntegerField(null=True)
    """Unix time in seconds, exact to a minute; None if the token was never used."""
    scopes = models.CharField(max_length=100, blank=True, default="", db_default="", editable=False)
    """The scopes of an API key, separated by blanks; empty for a token with all rights of its user."""

    # A key of a deleted church keeps the number: it must not become a key of all churches.
    church = models.ForeignKey(
        Church, models.DO_NOTHING, null=True, editable=False, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    """The only church of an API key; None for all churches of its user."""

    class Meta:
        verbose_name_plural = "token details"

    def __str__(self) -> str:
        return self.name or "login"


AGENT_LENGTH = 300


class UserSession(models.Model):
    """The user and the device of a session. Django stores the user only inside the session's signed data."""

    session_key = models.CharField(max_length=40, primary_key=True)
    # Another request can delete the user while a session is saved: use no database constraint.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False
    )
    agent = models.CharField(max_length=AGENT_LENGTH, blank=True, default="", db_default="")
    """The User-Agent header of the login; empty for a session from an earlier release."""
    network = models.CharField(max_length=45, blank=True, default="", db_default="")
    """The network of the login, such as 203.0.113.0/24; no complete address is kept."""
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    """The last page of the console, exact to ten minutes."""

    def __str__(self) -> str:
        return f"A session of user {self.user_id}"
