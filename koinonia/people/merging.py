"""Merging two rows of one person: texts, groups, conversations, opt-outs and plans follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q

from delivery.models import Direction, Message, OptOut
from delivery.opt_outs import opt_out, started_since
from koinonia import audit, ids
from koinonia.inbox.changes import announce
from koinonia.models import Broadcast, Church, Conversation, Member, Note, Series
from koinonia.models.conversation import InboxState


class MemberGoneError(Exception):
    """A member of the pair was deleted."""


class MemberChangedError(Exception):
    """A member of the pair has changed since the caller read it."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The values of the remaining member. ``phone`` is the number of one of the two."""

    first_name: str
    last_name: str
    phone: str


KEPT_FIELDS = tuple(field.name for field in fields(Kept))


@dataclass(frozen=True, kw_only=True)
class Merged:
    """The result of a merge, in exact numbers."""

    texts: int
    """Texts that passed to the remaining member."""
    groups: int
    """Groups that the remaining member is new in."""
    broadcasts: int
    """Scheduled broadcasts and series that named the other member."""
    conversations: int
    """Conversations that passed to the remaining number: their number has no member any more."""
    opted_out: bool
    """The opt-out of the other number passed to the remaining number."""


_TRIES = 5
"""How often a merge is tried again because a colleague has planned a broadcast."""


class _PlannedMeanwhileError(Exception):
    """A colleague has planned a broadcast to the other member before both members were locked."""


def merge(
    church: Church,
    member: int,
    into: int,
    kept: Kept | None = None,
    *,
    by: User,
    now: datetime,
    versions: dict[int, int] | None = None,
) -> Merged:
    """Merge the member with the key ``member`` into ``into``, and delete the first.

    ``kept`` are the values of the remaining member; by default they stay. ``versions`` are the
    versions of the members that the caller has read, by key.
    Raise MemberGoneError or MemberChangedError.
    """
    for _try in range(_TRIES):
        try:
            with transaction.atomic():
                return _merge(church, member, into, kept, by=by, now=now, versions=versions)
        except _PlannedMeanwhileError:
            continue
    raise MemberChangedError


def _merge(
    church: Church,
    member: int,
    into: int,
    kept: Kept | None,
    *,
    by: User,
    now: datetime,
    versions: dict[int, int] | None,
) -> Merged:
    # Locked in this order: broadcasts, series, members, outbound texts, conversations, received texts. A
    # worker that takes a due broadcast locks it before its members.
    planned = _plans_with(church, member)
    other, remaining = _locked(church, member, into, versions)
    if sum(map(len, _naming(church, member))) > len(planned):
        raise _PlannedMeanwhileError
    kept = kept or Kept(
        first_name=remaining.first_name, last_name=remaining.last_name, phone=remaining.phone
    )
    left = ({other.phone, remaining.phone} - {kept.phone}) or {""}
    thread = _vacant_conversation(church, left.pop(), (member, into))
    theirs = Q(recipient=member) | Q(thread=thread or -1)
    outbound = Message.objects.filter(theirs, direction=Direction.OUTBOUND)
    list(outbound.locked().values_list("pk", flat=True))
    joined = _join(church, thread, kept.phone) if thread else 0
    Conversation.objects.filter(named_member=member).update(named_member=into)
    texts = Message.objects.filter(recipient=member).update(recipient=into)
    merged = Merged(
        texts=texts,
        groups=_add_groups(other, remaining),
        broadcasts=_rename_in(planned, member, into),
        conversations=joined,
        opted_out=_follow_opt_out(church, other.phone, remaining.phone, kept.phone, by),
    )
    remaining.first_name, remaining.last_name = kept.first_name, kept.last_name
    remaining.phone = kept.phone
    remaining.save(update_fields=["first_name", "last_name", "phone", "updated_at"])
    other.delete()
    audit.record(church, by, "member.merged", remaining, vars(merged), now=now)
    if merged.opted_out:
        # Last, as everywhere: the stream stays locked until the commit.
        announce(church, kept.phone, now=now)
    return merged


def _locked(
    church: Church, member: int, into: int, versions: dict[int, int] | None
) -> tuple[Member, Member]:
    """Lock both rows against deletion and new texts, and return them."""
    rows = Member.objects.filter(church=church, pk__in={member, into})
    found = {row.pk: row for row in rows.select_for_update(of=("self",)).order_by("pk")}
    if member == into or len(found) < 2:
        raise MemberGoneError
    if any(found[key].version != version for key, version in (versions or {}).items()):
        raise MemberChangedError
    return found[member], found[into]


def _vacant_conversation(church: Church, number: str, both: tuple[int, int]) -> int | None:
    """Return the key of the conversation with ``number`` unless a third member has the number."""
    others = Member.objects.filter(church=church, phone=number).exclude(pk__in=both)
    if not number or others.exists():
        return None
    threads = Conversation.objects.filter(church=church, phone=number)
    return threads.values_list("pk", flat=True).first()


def _join(church: Church, thread: int, number: str) -> int:
    """Move the conversation ``thread`` to ``number``: into the conversation there, if there is one."""
    either = Q(pk=thread) | Q(phone=number)
    rows = Conversation.objects.filter(either, church=church).select_for_update(of=("self",))
    found = {row.phone == number: row for row in rows.order_by("pk")}
    source, target = found[False], found.get(True)
    if target is None:
        Conversation.objects.filter(pk=source.pk).update(phone=number)
        return 1
    Message.objects.filter(thread=source.pk).update(thread=target.pk)
    latest = [row.last_message_id for row in (source, target) if row.last_message_id]
    both = (source, target)
    Conversation.objects.filter(pk=target.pk).update(
        unread_count=F("unread_count") + source.unread_count,
        last_message=max(latest, default=None),
        updated_at=max(row.updated_at for row in both),
        assigned_to=target.assigned_to_id or source.assigned_to_id,
        state=max((row.state for row in both), key=_STATES.index),
        inbox_at=_latest(row.inbox_at for row in both),
        answered_at=_latest(row.answered_at for row in both),
    )
    Note.objects.filter(conversation=source).update(conversation=target)
    source.delete()
    return 1


_STATES = (InboxState.QUIET.value, InboxState.DONE.value, InboxState.OPEN.value)
"""A conversation is open if one of the two was."""


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def _add_groups(other: Member, remaining: Member) -> int:
    present = set(remaining.groups.values_list("pk", flat=True))
    new = set(other.groups.values_list("pk", flat=True)) - present
    remaining.groups.add(*new)
    return len(new)


def _plans_with(church: Church, member: int) -> list[Broadcast | Series]:
    """Lock the scheduled broadcasts and the series that name the member, and return them."""
    broadcasts, series = _naming(church, member)
    plans: list[Broadcast | Series] = []
    for rows in (
        Broadcast.objects.filter(pk__in=broadcasts, due_at__isnull=False),
        Series.objects.filter(pk__in=series, ended_at=None),
    ):
        plans += rows.select_for_update(of=("self",)).order_by("pk")
    return plans


def _naming(church: Church, member: int) -> tuple[list[int], list[int]]:
    """Return the keys of the scheduled broadcasts, and of the series, that name the member."""
    name = ids.encode(member)
    broadcasts = Broadcast.objects.filter(church=church, due_at__isnull=False)
    series = Series.objects.filter(church=church, ended_at=None)
    of_broadcasts, of_series = (rows.values_list("pk", "audience") for rows in (broadcasts, series))
    return (
        [key for key, audience in of_broadcasts if name in audience.get("members", ())],
        [key for key, audience in of_series if name in audience.get("members", ())],
    )


def _rename_in(plans: list[Broadcast | Series], member: int, into: int) -> int:
    """Name ``into`` where the audience names ``member``."""
    old, new = ids.encode(member), ids.encode(into)
    for plan in plans:
        named = [new if name == old else name for name in plan.audience["members"]]
        audience: dict[str, Any] = {**plan.audience, "members": list(dict.fromkeys(named))}
        type(plan)._default_manager.filter(pk=plan.pk).update(audience=audience)
    return len(plans)


def _follow_opt_out(church: Church, one: str, other: str, kept: str, by: User) -> bool:
    """Opt the kept number out if the other number is opted out; return whether that is new.

    Do nothing if the kept number has sent START since.
    """
    left = OptOut.objects.filter(tenant=church, number__in={one, other} - {kept}).first()
    if left is None or started_since(left.created_at, church.pk, kept):
        return False
    source = OptOut.Source(left.source)
    return opt_out(church.pk, kept, source, now=left.created_at, by=by)
