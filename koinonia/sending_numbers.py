"""Sending numbers of churches. The operator assigns and releases them.

``Church.phone_number`` is the current number of a church. ``SendingNumber`` has one row per number: a
released number stays reserved for its church for 30 days, and while messages wait to be sent from it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.utils import timezone

from delivery.models import Message
from delivery.statuses import Status
from koinonia import phone
from koinonia.models import Church, SendingNumber
from koinonia.models.church import RESERVED_FOR

number_given = Signal()
"""Sent after commit, with ``number``, for code that keeps a list of the account's numbers."""

_WAITING = (Status.SCHEDULED, Status.QUEUED, Status.SENDING, Status.RETRYING)


class NumberRefusedError(Exception):
    """The number cannot be assigned or released. The message is a sentence for the operator."""


def give(church: Church, raw: str, *, now: datetime) -> str:
    """Assign a number to the church and release its current number; return the number in E.164.

    Raise NumberRefusedError if the number is invalid, reserved, or belongs to another church.
    """
    try:
        number = phone.normalise(raw, church.country)
    except phone.UnusableNumberError as error:
        raise NumberRefusedError(str(error)) from None
    try:
        with transaction.atomic():
            _give(_locked(church), number, now)
            transaction.on_commit(lambda: number_given.send(sender=Church, number=number))
    except IntegrityError:
        # Race between two operators, or a church with a number but without a SendingNumber row.
        raise NumberRefusedError(f"{number} belongs to another church.") from None
    church.phone_number = number
    return number


def check(church: Church, number: str, *, now: datetime) -> None:
    """Raise NumberRefusedError if ``give`` would raise it now."""
    if church.pk and church.phone_number == number:
        return
    row = SendingNumber.objects.filter(number=number).select_related("church").first()
    if row is not None and row.church_id != church.pk:
        _check_free(row, now)
    if Church.objects.filter(phone_number=number).exclude(pk=church.pk).exists():
        raise NumberRefusedError(f"{number} belongs to another church.")


def take(raw: str, *, now: datetime) -> Church:
    """Release the number that a church sends from; it is reserved from now on.

    Raise NumberRefusedError if no church sends from the number.
    """
    number = raw.strip()
    with transaction.atomic():
        church = Church.objects.filter(phone_number=number).select_for_update().first()
        if church is None:
            raise NumberRefusedError(f"No church texts from {number}. `number list` shows all.")
        _give_up(church, now)
        church.phone_number = None
        church.save(update_fields=["phone_number"])
    return church


def former_owner(number: str) -> Church | None:
    """Return the church that a released number is reserved for."""
    row = SendingNumber.objects.filter(number=number, given_up_at__isnull=False)
    found = row.select_related("church").first()
    return found.church if found else None


def waiting_from(number: str) -> int:
    """Return the number of messages that wait to be sent from a number."""
    return Message.objects.filter(from_number=number, status__in=_WAITING).count()


def on_church_saved(instance: Church, created: bool, **_: Any) -> None:
    """Receive ``post_save``: add the row for the number of a new church."""
    if created and instance.phone_number:
        row = SendingNumber(number=instance.phone_number, church=instance, given_at=timezone.now())
        SendingNumber.objects.bulk_create([row], ignore_conflicts=True)


def on_church_deleted(instance: Church, **_: Any) -> None:
    """Receive ``pre_delete``: keep the number of a deleted church reserved."""
    if instance.phone_number:
        _give_up(instance, timezone.now())


def _locked(church: Church) -> Church:
    return Church.objects.select_for_update().get(pk=church.pk)


def _give(church: Church, number: str, now: datetime) -> None:
    if church.phone_number == number:
        return
    row = SendingNumber.objects.filter(number=number).select_for_update().first()
    if row is not None and row.church_id != church.pk:
        _check_free(row, now)
        row.delete()
    if church.phone_number:
        _give_up(church, now)
    # Includes numbers that an earlier release changed without updating this table.
    held = SendingNumber.objects.filter(church=church, given_up_at=None).exclude(number=number)
    held.update(given_up_at=now)
    SendingNumber.objects.update_or_create(
        number=number, defaults={"church": church, "given_at": now, "given_up_at": None}
    )
    church.phone_number = number
    church.save(update_fields=["phone_number"])


def _give_up(church: Church, now: datetime) -> None:
    SendingNumber.objects.update_or_create(
        number=church.phone_number,
        defaults={"church": church, "given_up_at": now},
        create_defaults={"church": church, "given_at": now, "given_up_at": now},
    )


def _check_free(row: SendingNumber, now: datetime) -> None:
    until = row.reserved_until()
    if until is None:
        raise NumberRefusedError(f"{row.number} belongs to another church ({row.church}).")
    if until > now:
        raise NumberRefusedError(
            f"{row.number} is reserved until {until:%Y-%m-%d %H:%M} UTC, {RESERVED_FOR.days} days"
            f" after {row.church or 'its church'} gave it up."
        )
    if count := waiting_from(row.number):
        raise NumberRefusedError(
            f"{row.number} is reserved: {count} text(s) wait to be sent from it."
        )
