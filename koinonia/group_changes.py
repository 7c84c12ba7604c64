"""Acts of the staff on a group, for the API and the console."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from delivery.changes import message_changes
from koinonia import audit
from koinonia.answers import membership
from koinonia.answers.membership import Changed
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.cancel import cancel_broadcasts_to
from koinonia.models import Broadcast, Group


def delete(group: Group, by: User, *, now: datetime) -> int | None:
    """Delete the group and cancel the broadcasts to it alone; return their number.

    Return None if the group is gone already.
    """
    with message_changes(now):
        cancelled = cancel_broadcasts_to(group, now=now)
        audit.record(group.church, by, "group.deleted", group, {"cancelled": cancelled})
        if not group.delete()[0]:
            transaction.set_rollback(True)
            return None
    return cancelled


def broadcasts_waiting_for(group: Group) -> int:
    """Count the scheduled broadcasts that name the group; at most 500 are looked at."""
    waiting = Broadcast.objects.filter(church=group.church_id, due_at__isnull=False)
    audiences = waiting.order_by("pk").values_list("audience", flat=True)[:500]
    return sum(group.pk in Audience.from_json(one).group_ids for one in audiences)


@transaction.atomic
def change_members(
    group: Group, by: User, *, add: Collection[int] = (), remove: Collection[int] = ()
) -> Changed:
    """Add and remove members, and note it in the audit log if it changed the group."""
    changed = membership.change(group, add=add, remove=remove)
    if changed.added:
        audit.record(group.church, by, "group.joined", group, {"members": changed.added})
    if changed.removed:
        audit.record(group.church, by, "group.left", group, {"members": changed.removed})
    return changed
