"""Deleting a member, and the texts that wait for the member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from delivery.changes import message_changes
from delivery.recipients import release, waiting_for
from koinonia import audit, ids
from koinonia.models import Broadcast, Member


@dataclass(frozen=True)
class Waiting:
    """The work that waits for a member."""

    texts: int
    """They are cancelled when the member is deleted."""
    broadcasts: int
    """Scheduled broadcasts that name the member: they leave the member out."""


def waiting_work(member: Member) -> Waiting:
    """Count the texts and broadcasts that wait for the member."""
    name = ids.encode(member.pk)
    scheduled = Broadcast.objects.filter(church=member.church_id, due_at__isnull=False)
    audiences = scheduled.values_list("audience", flat=True)
    named = sum(name in audience.get("members", ()) for audience in audiences)
    return Waiting(texts=waiting_for([member.pk]), broadcasts=named)


def delete_member(member: Member, *, by: User, now: datetime) -> int:
    """Delete the member, cancel the waiting texts, and return their number.

    Raise Member.DoesNotExist if a colleague has deleted the member before.
    """
    with message_changes(now):
        cancelled = release([member.pk], now)
        audit.record(member.church, by, "member.deleted", member, {"cancelled": cancelled}, now=now)
        if not member.delete()[0]:
            raise Member.DoesNotExist
    return cancelled
