"""Sending numbers of churches. The operator assigns and releases them.

``Church.phone_number`` is the current number of a church. ``SendingNumber`` has one row per number: a
released number stays reserved for its church for 30 days, and while messages wait to be sent from it.
A church may have a second number with another provider: new messages leave from it while the provider of
the first number is down, if ``Church.uses_second_number`` is set.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, NoReturn

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from delivery import conf
from delivery.models import Message
from delivery.providers import registry
from delivery.senders import Sender
from delivery.statuses import Status
from koinonia import phone
from koinonia.api.prepared_query import from_columns
from koinonia.models import Church, SendingNumber
from koinonia.models.church import RESERVED_FOR

number_given = Signal()
"""Sent after commit, with ``number``, for code that keeps a list of the account's numbers."""

_CHURCH_WITH_SENDERS = """
SELECT church.phone_number, church.country, own.provider, other.number, other.provider,
    church.timezone, church.quiet_from, church.quiet_until
FROM koinonia_church AS church
LEFT JOIN koinonia_sendingnumber AS own ON own.number = church.phone_number
LEFT JOIN koinonia_sendingnumber AS other
    ON other.church_id = church.id AND other.second AND other.given_up_at IS NULL
    AND church.uses_second_number
WHERE church.id = %s
"""
_WAITING = (Status.SCHEDULED, Status.QUEUED, Status.SENDING, Status.RETRYING)


class NumberRefusedError(Exception):
    """The number cannot be assigned or released. The message is a sentence for the operator."""


def give(church: Church, raw: str, *, now: datetime, provider: str = "") -> str:
    """Assign a number to the church and release its current number; return the number in E.164.

    ``provider`` is a key of ``DELIVERY["PROVIDERS"]``; empty: the default one. Raise
    NumberRefusedError if the number is invalid, reserved, or belongs to another church, or if the
    provider is not configured.
    """
    account = _provider(provider)
    number = _normalised(church, raw)
    try:
        with transaction.atomic():
            _give(_locked(church), number, account, now)
            transaction.on_commit(lambda: number_given.send(sender=Church, number=number))
    except IntegrityError:
        # Race between two operators, or a church with a number but without a SendingNumber row.
        raise NumberRefusedError(f"{number} belongs to another church.") from None
    church.phone_number = number
    return number


def give_second(church: Church, raw: str, *, now: datetime, provider: str) -> str:
    """Give the church a second number, of another provider than its first; return it in E.164.

    Raises NumberRefusedError as :func:`give` does, and if the provider is that of the first number.
    """
    account = _provider(provider)
    number = _normalised(church, raw)
    try:
        with transaction.atomic():
            _give_second(_locked(church), number, account, now)
            transaction.on_commit(lambda: number_given.send(sender=Church, number=number))
    except IntegrityError:
        raise NumberRefusedError(f"{number} belongs to another church.") from None
    return number


def use_second(church: Church, use: bool) -> None:
    """Say whether new texts go out from the second number while the first provider is down.

    Raises NumberRefusedError if the church has no second number to use.
    """
    if use and not has_second(church):
        raise NumberRefusedError(f"{church.name} ({church.slug}) has no second number.")
    Church.objects.filter(pk=church.pk).update(uses_second_number=use)
    church.uses_second_number = use


def has_second(church: Church) -> bool:
    """Return whether the church has a second number."""
    return bool(church.pk) and _second_of(church.pk).exists()


def church_with_senders(key: int) -> Church:
    """Return a church with the accounts of its numbers, by one query: every claim asks for them.

    Other fields of the church load on first use.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CHURCH_WITH_SENDERS, [key])
        number, country, account, second, second_account, *rest = cursor.fetchone() or _no_church(
            key
        )
    known = {"id": key, "phone_number": number, "country": country, "timezone": rest[0]}
    known |= {"quiet_from": _clock(rest[1]), "quiet_until": _clock(rest[2])}
    church = from_columns(Church, known)
    church.known_senders = (
        Sender(account or conf.default_provider(), number or ""),
        Sender(second_account, second) if second else None,
    )
    return church


def _clock(value: time | str | None) -> time | None:
    """Return the time of a raw row: SQLite stores it as text."""
    return time.fromisoformat(value) if isinstance(value, str) else value


def _no_church(key: int) -> NoReturn:
    raise Church.DoesNotExist(f"There is no church {key}.")


def sender_account(church: Church, number: str) -> str:
    """Return the provider account of a number of the church."""
    known = church.known_senders
    if known is not None and known[0].number == number:
        return known[0].provider
    return provider_of(number)


def provider_of(number: str) -> str:
    """Return the provider account that a number belongs to; the default one if it is unknown."""
    known = SendingNumber.objects.filter(number=number).values_list("provider", flat=True).first()
    return known or conf.default_provider()


def second_sender(church: Church) -> Sender | None:
    """Return the second number of the church; None if it has none or does not use it."""
    if church.known_senders is not None:
        return church.known_senders[1]
    row = _second_of(church.pk).first() if church.uses_second_number else None
    return Sender(row.provider, row.number) if row else None


def slugs_through(provider: str) -> list[str]:
    """Return the slugs of the churches whose first number belongs to a provider account."""
    elsewhere = SendingNumber.objects.exclude(provider=provider).values("number")
    churches = Church.objects.exclude(phone_number=None).exclude(phone_number__in=elsewhere)
    if provider != conf.default_provider():
        here = SendingNumber.objects.filter(provider=provider).values("number")
        churches = churches.filter(phone_number__in=here)
    return list(churches.values_list("slug", flat=True))


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
            if (of_second := _take_second(number, now)) is not None:
                return of_second
            raise NumberRefusedError(f"No church texts from {number}. `number list` shows all.")
        _give_up(church, now)
        church.phone_number = None
        church.save(update_fields=["phone_number"])
    return church


def owner_of(number: str) -> Church | None:
    """Return the church that a second number belongs to, or that a released number is reserved for."""
    row = SendingNumber.objects.filter(number=number).select_related("church").first()
    return row.church if row else None


def waiting_from(number: str) -> int:
    """Return the number of messages that wait to be sent from a number."""
    return Message.objects.filter(from_number=number, status__in=_WAITING).count()


def on_church_saved(instance: Church, created: bool, **_: Any) -> None:
    """Receive ``post_save``: add the row for the number of a new church."""
    if created and instance.phone_number:
        row = SendingNumber(number=instance.phone_number, church=instance, given_at=timezone.now())
        SendingNumber.objects.bulk_create([row], ignore_conflicts=True)


def on_church_deleted(instance: Church, **_: Any) -> None:
    """Receive ``pre_delete``: keep the numbers of a deleted church reserved."""
    now = timezone.now()
    if instance.phone_number:
        _give_up(instance, now)
    _second_of(instance.pk).update(given_up_at=now)


def _locked(church: Church) -> Church:
    return Church.objects.select_for_update().get(pk=church.pk)


def _normalised(church: Church, raw: str) -> str:
    try:
        return phone.normalise(raw, church.country)
    except phone.UnusableNumberError as error:
        raise NumberRefusedError(str(error)) from None


def _provider(alias: str) -> str:
    """Return the alias, or the default provider's if it is empty; refuse one that is unknown."""
    known = registry.aliases()
    if alias and alias not in known:
        raise NumberRefusedError(
            f"No provider {alias!r} is configured; there is {', '.join(known)}."
        )
    return alias or conf.default_provider()


def _give(church: Church, number: str, provider: str, now: datetime) -> None:
    second = _second_of(church.pk).select_for_update().first()
    if second is not None and (second.number == number or second.provider == provider):
        raise NumberRefusedError(
            f"{second.number} ({second.provider}) is the second number of {church.slug}: take it"
            " first, or give a first number of another provider."
        )
    if church.phone_number == number:
        SendingNumber.objects.filter(number=number).update(provider=provider)
        return
    _release_to(church, number, now)
    if church.phone_number:
        _give_up(church, now)
    # The earlier release changes the church's number without a row here.
    held = SendingNumber.objects.filter(church=church, given_up_at=None, second=False)
    held.exclude(number=number).update(given_up_at=now)
    _enter(church, number, provider, now, second=False)
    church.phone_number = number
    church.save(update_fields=["phone_number"])


def _give_second(church: Church, number: str, provider: str, now: datetime) -> None:
    if not church.phone_number:
        raise NumberRefusedError(f"{church.name} ({church.slug}) has no first number yet.")
    if number == church.phone_number:
        raise NumberRefusedError(f"{number} is the first number of {church.slug}.")
    if provider_of(church.phone_number) == provider:
        raise NumberRefusedError(
            f"The first number of {church.slug} is with {provider}, too: a second number helps only"
            " if it is with another provider."
        )
    if Message.objects.filter(from_number=number).exclude(tenant=church).exists():
        # A reply to a second number goes to the church that texted the person from it last.
        raise NumberRefusedError(
            f"Another church has texted from {number}: replies would reach that church. Give"
            " another number."
        )
    _release_to(church, number, now)
    _second_of(church.pk).exclude(number=number).update(given_up_at=now)
    _enter(church, number, provider, now, second=True)


def _take_second(number: str, now: datetime) -> Church | None:
    row = SendingNumber.objects.filter(number=number, second=True, given_up_at=None)
    found = row.select_for_update(of=("self",)).select_related("church").first()
    if found is None or found.church is None:
        return None
    found.given_up_at = now
    found.save(update_fields=["given_up_at"])
    church = found.church
    Church.objects.filter(pk=church.pk).update(uses_second_number=False)
    church.uses_second_number = False
    return church


def _second_of(church_id: int) -> QuerySet[SendingNumber]:
    return SendingNumber.objects.filter(church=church_id, second=True, given_up_at=None)


def _release_to(church: Church, number: str, now: datetime) -> None:
    """Delete the row of a number that another church gave up, if it is free by now."""
    row = SendingNumber.objects.filter(number=number).select_for_update().first()
    if row is not None and row.church_id != church.pk:
        _check_free(row, now)
        row.delete()


def _enter(church: Church, number: str, provider: str, now: datetime, *, second: bool) -> None:
    SendingNumber.objects.update_or_create(
        number=number,
        defaults={
            "church": church,
            "provider": provider,
            "second": second,
            "given_at": now,
            "given_up_at": None,
        },
    )


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
