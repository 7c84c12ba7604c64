from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from koinonia import ids
from koinonia.models.church import Church


class Role(models.TextChoices):
    """The rights of a user in a church (docs/api.md)."""

    OWNER = "owner", _("Owner")
    """Has all rights, including changes of the church and its staff."""
    SENDER = "sender", _("Sender")
    """Sends messages and edits members, groups, conversations and dead letters."""
    VIEWER = "viewer", _("Viewer")
    """Reads all data without changing it."""


class Staff(models.Model):
    """The membership of a user in a church's staff, with a role."""

    church = models.ForeignKey(Church, models.CASCADE, related_name="staff")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="staff")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(default=1, editable=False)

    class Meta:
        verbose_name_plural = "staff"
        constraints = [
            models.UniqueConstraint(fields=["church", "user"], name="staff_once_per_church"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="staff_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role} of {self.church})"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self, now: datetime) -> InvitationQuerySet:
        """Return unexpired invitations. Accepted and withdrawn invitations have no row."""
        return self.filter(expires_at__gt=now)


class Invitation(models.Model):
    """An invitation to a church's staff, by user name or by e-mail.

    An invitation by name is bound to ``user``, the user of that name on creation (None if free).
    An invitation by e-mail is bound to the link that was mailed to ``email``.
    """

    church = models.ForeignKey(Church, models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role)
    email = models.EmailField(max_length=254, blank=True)
    """The address in lower case."""
    username = models.CharField(max_length=150, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    token_digest = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 -- unique if set
    """SHA-256 of the token in the mailed link; None for an invitation by user name."""
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_operator = models.BooleanField(default=False)
    """Created in the admin or by a command: valid without an inviting owner."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="invitation_by_name_or_address",
                condition=(
                    models.Q(models.Q(email=""), ~models.Q(username=""))
                    | models.Q(models.Q(username=""), ~models.Q(email=""))
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="invitation_role_is_known"
            ),
            models.UniqueConstraint(
                fields=["church", "email", "username"], name="invitation_once_per_church"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email or self.username} ({self.role} of {self.church})"

    @property
    def path(self) -> str:
        """Return the path of the page that accepts the invitation."""
        return reverse("invitation", args=[ids.encode(self.pk)])


class LastChurch(models.Model):
    """The church that a user opened last. The console opens with it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    church = models.ForeignKey(Church, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"User {self.user_id}: {self.church}"
