"""Retry dead letters by order of a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Case, F, PositiveSmallIntegerField, Q, Value, When

from delivery import opt_outs
from delivery.changes import message_changes
from delivery.dead_letters import audit
from delivery.models import DeadLetterAction, Message, Outcome, RetryRun
from delivery.models.queue import MessageQuerySet
from delivery.providers import registry
from delivery.queue import hints
from delivery.senders import Sender, senders_of
from delivery.statuses import DEAD_LETTERS, Status

NEW_LIFE = timedelta(hours=24)
"""The new lifetime of a message that is too old by now; otherwise it would expire at once."""
_CHUNK = 1000
_SURELY_REFUSED = (Outcome.PERMANENT.value, Outcome.CONFIGURATION.value)


@dataclass(slots=True)
class RetryResult:
    retried: int = 0
    parts: int = 0
    """The message parts of the retried ones."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """(id, code); ``REFUSALS`` has a sentence for each code."""


def retry(
    messages: MessageQuerySet,
    *,
    by: AbstractBaseUser | None,
    now: datetime,
    may_double: bool = False,
    run: RetryRun | None = None,
) -> RetryResult:
    """Requeue ``messages`` with fresh attempts, and return the number and the refused ones.

    ``run``: the bulk retry that the audit rows name.

    A message that the provider certainly refused, or that may arrive twice by permission, is sent as
    a new one: with a new idempotency key, from the tenant's present sender. Other messages keep the
    old key, so that they cannot arrive twice. An old key is replaced if the provider has forgotten it
    and the tenant has another sender by now, because the old number may belong to another tenant.
    A thousand messages per transaction, or all in the caller's transaction.
    """
    result = RetryResult()
    for ids in _chunks(messages):
        _retry(ids, result, by, now, may_double, run)
    return result


def _chunks(messages: MessageQuerySet) -> Iterator[list[int]]:
    # Read all ids before the first message leaves the set.
    ids = sorted(messages.order_by().values_list("pk", flat=True))
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _retry(
    ids: Sequence[int],
    result: RetryResult,
    by: AbstractBaseUser | None,
    now: datetime,
    may_double: bool,
    run: RetryRun | None,
) -> None:
    with message_changes(now) as changes:
        rows = list(Message.objects.filter(pk__in=ids).select_related("tenant").locked())
        codes = refusals(rows, may_double=may_double)
        result.refused += [(pk, code) for pk, code in codes.items() if code]
        letters = [row for row in rows if not codes[row.pk]]
        if not letters:
            return
        wanted = [letter.pk for letter in letters]
        for tenant, provider in {(letter.tenant, letter.provider) for letter in letters}:
            forgotten_since = now - _key_memory(provider)
            may_move = any(
                _may_move(letter, forgotten_since)
                for letter in letters
                if (letter.tenant_id, letter.provider) == (tenant.pk, provider)
            )
            senders = senders_of(tenant) if may_move else ()
            Message.objects.filter(
                pk__in=wanted,
                status__in=sorted(DEAD_LETTERS),
                tenant=tenant,
                provider=provider,
            ).update(**_as_new(senders, forgotten_since, now))
        fresh = Message.objects.in_bulk(wanted)
        generations = {pk: row.generation for pk, row in fresh.items()}
        audit.note(
            letters,
            DeadLetterAction.Kind.RETRY,
            by=by,
            at=now,
            generations=generations,
            may_double=may_double,
            run=run,
        )
        for letter in letters:
            changes.add(fresh[letter.pk], previous=letter.status)
        result.retried += len(letters)
        result.parts += sum(letter.parts for letter in letters)
        transaction.on_commit(hints.push)


def refusals(rows: Sequence[Message], *, may_double: bool) -> dict[int, str]:
    """Return by key the code for which each message is refused; ``""``: it is retried."""
    stopped = _opted_out(rows)
    return {row.pk: _refusal(row, stopped, may_double) for row in rows}


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


def _as_new(
    senders: Sequence[Sender], forgotten_since: datetime, now: datetime
) -> dict[str, object]:
    """Return the update that queues dead letters of one tenant and provider account again."""
    again = Q(status=Status.UNKNOWN) | Q(error_class__in=_SURELY_REFUSED)
    moved: dict[str, object] = {}
    if senders:
        # While the tenant has no sender, the letters keep the old one.
        again |= Q(dead_since__lte=forgotten_since) & ~_from_one_of(senders)
        moved = {
            "provider": Case(When(again, then=Value(senders[0].provider)), default=F("provider")),
            "from_number": Case(
                When(again, then=Value(senders[0].number)), default=F("from_number")
            ),
        }
    return {
        **moved,
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


def _may_move(letter: Message, forgotten_since: datetime) -> bool:
    """Return whether a new send of the letter may leave from another sender."""
    is_new = letter.status == Status.UNKNOWN or letter.error_class in _SURELY_REFUSED
    return is_new or letter.dead_since is None or letter.dead_since <= forgotten_since


def _key_memory(provider: str) -> timedelta:
    """Return how long the provider recognises the key of an earlier call; zero without keys."""
    try:
        return registry.get(provider).capabilities.key_memory or timedelta()
    except registry.UnknownProviderError:
        return timedelta()


def _from_one_of(senders: Sequence[Sender]) -> Q:
    matches = Q()
    for sender in senders:
        matches |= Q(provider=sender.provider, from_number=sender.number)
    return matches
