"""Ordering another send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Case, F, OuterRef, PositiveSmallIntegerField, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, NullIf

from delivery import conf, opt_outs
from delivery.changes import message_changes
from delivery.dead_letters import audit
from delivery.models import DeadLetterAction, Message, Outcome
from delivery.models.queue import MessageQuerySet
from delivery.queue import hints
from delivery.statuses import DEAD_LETTERS, Status

NEW_LIFE = timedelta(hours=24)
"""What a text that became too old meanwhile gets, else its retry would only expire."""
_CHUNK = 1000
_KEY_IS_FORGOTTEN = timedelta(hours=24)
"""Telnyx remembers an ``Idempotency-Key`` for up to 24 hours."""
_SURELY_REFUSED = (Outcome.PERMANENT.value, Outcome.CONFIGURATION.value)


@dataclass(slots=True)
class RetryResult:
    retried: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    """(id, code): ``opted_out``, ``sending``, ``discarded``, ``recipient_deleted``,
    ``may_double_required`` (it is unknown whether it arrived, and nobody said that it may arrive
    twice), or ``not_dead``."""


def retry(
    messages: MessageQuerySet,
    *,
    by: AbstractBaseUser | None,
    now: datetime,
    may_double: bool = False,
) -> RetryResult:
    """Put those of ``messages`` that may be sent again back into the queue, with fresh attempts.

    A text that Telnyx surely refused, or that may double, is sent as a new one (a new
    ``Idempotency-Key``), from the tenant's present number; any other under its old key, so that it
    cannot arrive twice. An old key is given up when Telnyx has forgotten it and the tenant texts from
    another number by now: the old number may be another tenant's. Thousands at a time: a thousand in
    one transaction, or all in the caller's.
    """
    result = RetryResult()
    for ids in _chunks(messages):
        _retry(ids, result, by, now, may_double)
    return result


def _chunks(messages: MessageQuerySet) -> Iterator[list[int]]:
    # All ids at once, before any of them leaves the set.
    ids = sorted(messages.order_by().values_list("pk", flat=True))
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _retry(
    ids: Sequence[int],
    result: RetryResult,
    by: AbstractBaseUser | None,
    now: datetime,
    may_double: bool,
) -> None:
    with message_changes(now) as changes:
        rows = list(Message.objects.filter(pk__in=ids).locked())
        stopped = _opted_out(rows)
        refusals = {row.pk: _refusal(row, stopped, may_double) for row in rows}
        result.refused += [(pk, code) for pk, code in refusals.items() if code]
        letters = [row for row in rows if not refusals[row.pk]]
        if not letters:
            return
        wanted = [letter.pk for letter in letters]
        Message.objects.filter(pk__in=wanted, status__in=sorted(DEAD_LETTERS)).update(
            **_as_new(now)
        )
        fresh = Message.objects.in_bulk(wanted)
        generations = {pk: row.generation for pk, row in fresh.items()}
        audit.note(
            letters,
            DeadLetterAction.Kind.RETRY,
            by=by,
            at=now,
            generations=generations,
            may_double=may_double,
        )
        for letter in letters:
            changes.add(fresh[letter.pk], previous=letter.status)
        result.retried += len(letters)
        transaction.on_commit(hints.push)


def _opted_out(rows: Sequence[Message]) -> set[tuple[int, str]]:
    numbers: dict[int, set[str]] = {}
    for row in rows:
        numbers.setdefault(row.tenant_id, set()).add(row.to_number)
    return {
        (tenant_id, number)
        for tenant_id, wanted in numbers.items()
        for number in opt_outs.opted_out(tenant_id, wanted)
    }


def _refusal(row: Message, stopped: set[tuple[int, str]], may_double: bool) -> str:
    if row.status == Status.SENDING:
        return "sending"
    if row.status not in DEAD_LETTERS:
        return "not_dead"
    if row.discarded_at is not None:
        return "discarded"
    if row.recipient_gone:
        return "recipient_deleted"
    if (row.tenant_id, row.to_number) in stopped:
        return "opted_out"
    if row.status == Status.UNKNOWN and not may_double:
        return "may_double_required"
    return ""


def _as_new(now: datetime) -> dict[str, object]:
    tenants = apps.get_model(conf.tenant_model())._default_manager.filter(pk=OuterRef("tenant"))
    present = Subquery(tenants.values(conf.tenant_number_field())[:1])
    # A tenant may have no number at the moment: null, or empty.
    number = Coalesce(NullIf(present, Value("")), F("from_number"))
    forgotten = ~Q(from_number=number) & Q(dead_since__lte=now - _KEY_IS_FORGOTTEN)
    again = Q(status=Status.UNKNOWN) | Q(error_class__in=_SURELY_REFUSED) | forgotten
    return {
        "from_number": Case(When(again, then=number), default=F("from_number")),
        "generation": Case(
            When(again, then=F("generation") + 1),
            default=F("generation"),
            output_field=PositiveSmallIntegerField(),
        ),
        "expires_at": Case(
            When(expires_at__lte=now, then=Value(now + NEW_LIFE)), default=F("expires_at")
        ),
        "status": Status.QUEUED,
        "next_attempt_at": now,
        "attempts": 0,
        "claims": 0,
        "ambiguous": False,
        "error_code": "",
        "error_title": "",
        "error_class": "",
        "dead_since": None,
        "reviewed_by": None,
        "reviewed_at": None,
        "updated_at": now,
    }
