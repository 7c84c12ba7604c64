from __future__ import annotations

from django.db import models
from django.utils import timezone

from koinonia.models.church import Church
from koinonia.models.member import Member
from koinonia.models.number_holder import NumberHolder


class Conversation(models.Model):
    """All texts between a church and one phone. ``delivery``'s messages point here by ``thread``."""

    church = models.ForeignKey(Church, models.CASCADE, related_name="conversations")
    phone = models.CharField(max_length=16)
    named_member = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """Whom a text to this number named last: the one who is meant, where members share it."""
    # No column: joined by number, for a member may come, go, or change the number.
    member = NumberHolder(
        Member,
        models.DO_NOTHING,
        from_fields=["church", "phone"],
        to_fields=["church", "phone"],
        related_name="+",
        null=True,
    )
    last_message = models.ForeignKey(
        "delivery.Message", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    unread_count = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["church", "phone"], name="conversation_once_per_phone"),
        ]
        indexes = [models.Index(fields=["church", "-updated_at", "-id"], name="conversation_list")]

    def __str__(self) -> str:
        return self.phone
