"""Export and erasure of what is held about the person with a phone number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.crypto import salted_hmac

import realtime.retention
from delivery import personal_data
from delivery.cancel import cancel_message
from delivery.models import Message
from delivery.retention import of_a_number
from delivery.retention.texts import values_of
from koinonia.models import (
    Church,
    Conversation,
    InboxState,
    Member,
    MemberFile,
    Note,
    PersonRequest,
    WebhookDelivery,
)


def export(number: str, churches: Collection[Church], *, by: str, now: datetime) -> dict[str, Any]:
    """Return all that is held about the number in these churches, and note that it was exported."""
    threads, members = _threads(number, churches), _members(number, churches)
    with transaction.atomic():
        found = {
            "number": number,
            "exported_at": now,
            "churches": [church.name for church in churches],
            "members": [
                {
                    **values_of(member),
                    "groups": sorted(member.groups.values_list("name", flat=True)),
                }
                for member in members
            ],
            "conversations": [values_of(thread) for thread in threads],
            "notes": [values_of(note) for note in Note.objects.filter(conversation__in=threads)],
            **personal_data.held(number, _keys(churches), _keys(threads)),
            "archived_texts": _archived(number, churches),
        }
        counts = {name: len(rows) for name, rows in found.items() if isinstance(rows, list)}
        _note(PersonRequest.Kind.EXPORT, number, churches, by, now, counts)
    return found


def erase(number: str, churches: Collection[Church], *, by: str, now: datetime) -> Counter[str]:
    """Erase the person: members, numbers, words, payloads, archives. Return counts; ``not_yet`` means again.

    The opt-outs of the number stay. The steps may be repeated, and each may be interrupted.
    """
    threads, members = _threads(number, churches), _members(number, churches)
    counts = Counter[str](members=len(members))
    for member in members:
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(Member), object_id=str(member.pk)
        ).update(object_repr=personal_data.ERASED, change_message="")
        member.delete()  # Cancels the texts that wait.
    keys = _keys(churches)
    waiting = personal_data.messages_of(number, keys, _keys(threads))
    for message in waiting.filter(pk__in=Message.objects.waiting().values("pk")):
        counts["cancelled"] += cancel_message(message, now=now)
    counts += personal_data.erase(number, keys, _keys(threads), now)
    if not counts["not_yet"]:
        Note.objects.filter(conversation__in=threads).delete()
        for thread in threads:
            Conversation.objects.filter(pk=thread.pk).update(
                phone=f"{personal_data.ERASED}{thread.pk}"[:16],
                unread_count=0,
                state=InboxState.QUIET,
                inbox_at=None,
                assigned_to=None,
            )
            counts["conversations"] += 1
    for church in churches:
        counts["events"] += realtime.retention.forget(f"church:{church.slug}", number)
    answers = WebhookDelivery.objects.filter(endpoint__church__in=churches).exclude(excerpt="")
    # A receiver may repeat what it was sent.
    answers.update(excerpt="")
    files = MemberFile.objects.filter(church__in=churches)
    counts["member_files"] = files.exclude(state=MemberFile.State.RUNNING).delete()[0]
    if len(churches) == Church.objects.count():
        counts["archived_texts"] = of_a_number.take_out(settings.ARCHIVE_DIR, number)
    _note(PersonRequest.Kind.ERASURE, number, churches, by, now, dict(counts))
    return counts


def digest(number: str) -> str:
    """Return a keyed hash by which a request about the number is found again."""
    return salted_hmac("koinonia.person", number, algorithm="sha256").hexdigest()


def _note(
    kind: str,
    number: str,
    churches: Collection[Church],
    by: str,
    now: datetime,
    counts: dict[str, int],
) -> None:
    PersonRequest.objects.create(
        kind=kind, digest=digest(number), at=now, by=by[:150], counts=counts,
        churches=sorted(church.slug for church in churches),
    )  # fmt: skip


def _archived(number: str, churches: Collection[Church]) -> list[dict[str, str]]:
    keys = {str(church.pk) for church in churches}
    rows = of_a_number.rows_of(settings.ARCHIVE_DIR, number)
    return [row for row in rows if row["tenant_id"] in keys]


def _threads(number: str, churches: Collection[Church]) -> list[Conversation]:
    return list(Conversation.objects.filter(church__in=churches, phone=number).order_by("pk"))


def _members(number: str, churches: Collection[Church]) -> list[Member]:
    return list(Member.objects.filter(church__in=churches, phone=number).order_by("pk"))


def _keys(rows: Collection[Any]) -> list[Any]:
    return [row.pk for row in rows]
