"""The audit log of a church: the acts of its staff, for the owners.

    with transaction.atomic():
        member.save()
        audit.record(church, user, "member.changed", member, {"fields": ["phone"]}, now=now)

The row is part of the transaction of the act. ``detail`` holds counts, names of fields, codes and ids,
and never names, numbers or words of people.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from koinonia.models import AuditEntry, Church

ACTIONS: dict[str, str | Promise] = {
    "message.sent": _("Sent a text"),
    "message.edited": _("Edited a scheduled text"),
    "message.moved": _("Moved a scheduled text"),
    "message.cancelled": _("Cancelled a text"),
    "message.retried": _("Sent a text again"),
    "message.discarded": _("Discarded a text"),
    "message.revealed": _("Support looked at the number and the words of a text"),
    "broadcast.sent": _("Sent a broadcast"),
    "broadcast.edited": _("Edited a scheduled broadcast"),
    "broadcast.moved": _("Moved a scheduled broadcast"),
    "broadcast.cancelled": _("Stopped a broadcast"),
    "broadcast.retried": _("Sent a broadcast again to those whom it did not reach"),
    "series.started": _("Made a repeating broadcast"),
    "series.changed": _("Changed a repeating broadcast"),
    "series.paused": _("Paused a repeating broadcast"),
    "series.resumed": _("Let a repeating broadcast go on"),
    "series.skipped": _("Left out one time of a repeating broadcast"),
    "series.ended": _("Ended a repeating broadcast"),
    "series.reopened": _("Let an ended repeating broadcast go on"),
    "conversation.assigned": _("Assigned a conversation"),
    "conversation.done": _("Marked a conversation as done"),
    "conversation.opened": _("Opened a conversation again"),
    "note.added": _("Added a note"),
    "note.deleted": _("Deleted a note"),
    "opt_out.added": _("Opted a number out"),
    "opt_out.removed": _("Removed an opt-out"),
    "opt_out.unheard": _("Marked a text as not meant as STOP"),
    "member.added": _("Added a member"),
    "member.changed": _("Changed a member"),
    "member.deleted": _("Deleted a member"),
    "member.merged": _("Merged two members"),
    "members.imported": _("Imported members"),
    "members.exported": _("Exported the members"),
    "group.added": _("Made a group"),
    "group.changed": _("Changed a group"),
    "group.deleted": _("Deleted a group"),
    "group.joined": _("Added members to a group"),
    "group.left": _("Removed members from a group"),
    "keyword.added": _("Made a keyword"),
    "keyword.changed": _("Changed a keyword"),
    "keyword.deleted": _("Deleted a keyword"),
    "template.added": _("Made a template"),
    "template.changed": _("Changed a template"),
    "template.deleted": _("Deleted a template"),
    "media.uploaded": _("Uploaded an attachment"),
    "church.changed": _("Changed the settings"),
    "answers.changed": _("Changed the automatic answers"),
    "staff.invited": _("Invited a colleague"),
    "staff.withdrawn": _("Withdrew an invitation"),
    "staff.joined": _("Joined the staff"),
    "staff.changed": _("Changed a role"),
    "staff.removed": _("Removed a colleague"),
    "session.ended": _("Ended a session"),
    "token.ended": _("Ended a token"),
    "webhook.added": _("Made a webhook"),
    "webhook.changed": _("Changed a webhook"),
    "webhook.deleted": _("Deleted a webhook"),
    "webhook.rotated": _("Changed the secret of a webhook"),
    "webhook.tested": _("Tested a webhook"),
    "webhook.redelivered": _("Sent events to a webhook again"),
    "webhook.disabled": _("A webhook was switched off"),
    "key.made": _("Made an API key"),
    "key.ended": _("Ended an API key"),
    "audit.exported": _("Exported the audit log"),
}
"""Action -> sentence without its subject."""


def of_church(
    church: Church, *, username: str | None = None, action: str | None = None
) -> QuerySet[AuditEntry]:
    """Return the acts in the church, of one user and of one kind if these are given."""
    found = AuditEntry.objects.filter(church=church)
    if username:
        found = found.filter(username=username)
    return found.filter(action=action) if action else found


def record(
    church: Church,
    user: User | None,
    action: str,
    subject: Model | str | None = None,
    detail: Mapping[str, Any] | None = None,
    *,
    now: datetime | None = None,
) -> None:
    """Write a row. Raises KeyError for an unknown action.

    ``subject`` is a row, or a label such as a keyword. ``user`` is None for an act
    of the system.
    """
    if action not in ACTIONS:
        raise KeyError(f"Add {action!r} to koinonia.audit.ACTIONS.")
    is_row = isinstance(subject, Model)
    AuditEntry.objects.create(
        church=church,
        user=user,
        username=user.get_username() if user else "",
        action=action,
        subject_kind=subject._meta.model_name or "" if isinstance(subject, Model) else "",
        subject_key=subject.pk if isinstance(subject, Model) else None,
        subject_label="" if is_row or subject is None else str(subject)[:100],
        detail=dict(detail or {}),
        at=now or timezone.now(),
    )
