"""The story of one text, from its acceptance to its arrival, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery.models import Attempt, DeadLetterAction, Message, Outcome, WebhookEvent
from delivery.statuses import Status
from koinonia.audit import ACTIONS
from koinonia.console import words
from koinonia.console.words import Words
from koinonia.models import AuditEntry, Church

_MOST = 50
"""Calls, reports and acts that the page lists."""

_CALLS: dict[str, tuple[Words, str]] = {
    Outcome.ACCEPTED: (gettext_lazy("The provider took it."), "calm"),
    Outcome.RETRYABLE: (gettext_lazy("The provider did not take it. It is tried again."), "warn"),
    Outcome.AMBIGUOUS: (gettext_lazy("The provider's answer was lost."), "warn"),
    Outcome.THROTTLED: (gettext_lazy("The provider asked us to wait."), "rest"),
    Outcome.PERMANENT: (gettext_lazy("The provider refused it."), "bad"),
    Outcome.CONFIGURATION: (
        gettext_lazy("The provider refused all texts: the account needs your support."),
        "bad",
    ),
}
_ACTS: dict[str, Words] = {
    DeadLetterAction.Kind.RETRY: gettext_lazy("%(who)s sent it again."),
    DeadLetterAction.Kind.DISCARD: gettext_lazy("%(who)s put it aside."),
    DeadLetterAction.Kind.REVIEW: gettext_lazy("%(who)s has looked at it."),
}
"""The acts that the office sees. The support's notes and assignments are not for it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the story."""

    at: datetime
    sentence: Words
    tone: str = "rest"
    detail: Words = ""


@dataclass(frozen=True, slots=True)
class Story:
    """The lines in order, and the reports of the provider."""

    entries: list[Entry]
    reports: list[WebhookEvent]


def story(church: Church, message: Message, now: datetime) -> Story:
    """Return the story of a text. Four queries."""
    reports: list[WebhookEvent] = []
    if message.provider_id:
        # An index has the provider's id.
        told = WebhookEvent.objects.filter(
            provider_id=message.provider_id, provider=message.provider
        )
        reports = list(told.defer("payload").order_by("occurred_at", "pk")[:_MOST])
    calls = list(Attempt.objects.filter(message=message).order_by("number")[:_MOST])
    entries = [
        *_begun(message),
        *_called(message, calls),
        *_told(message, calls),
        *_decided(message),
        *_done_by_staff(church, message, now),
    ]
    return Story(sorted(entries, key=lambda entry: entry.at), reports)


def _begun(message: Message) -> Iterator[Entry]:
    author = message.author.get_username() if message.author else ""
    if message.batch:
        sentence = _("It was made as part of a broadcast.")
    elif author and message.scheduled_at:
        sentence = _("%(who)s scheduled it.") % {"who": author}
    elif author:
        sentence = _("%(who)s sent it.") % {"who": author}
    else:
        sentence = _("It was made.")
    yield Entry(message.created_at, sentence)


def _called(message: Message, calls: Sequence[Attempt]) -> Iterator[Entry]:
    for call in calls:
        sentence, tone = _CALLS.get(call.outcome, (call.outcome, "rest"))
        reason = words.explain(call.code, message.provider) if call.code else ""
        yield Entry(call.started_at, sentence, tone, reason)


def _told(message: Message, calls: Sequence[Attempt]) -> Iterator[Entry]:
    if message.sent_at:
        yield Entry(message.sent_at, _("The carrier took it."), "calm")
    if message.delivered_at:
        yield Entry(message.delivered_at, _("The phone has it."), "good")
    status = message.status
    if status == Status.DEAD and calls and calls[-1].code == message.error_code:
        # The last call has told it already.
        return
    if status in (
        Status.FAILED, Status.DEAD, Status.UNKNOWN, Status.EXPIRED, Status.SUPPRESSED, Status.CANCELLED,
        Status.UNCONFIRMED,
    ):  # fmt: skip
        known = words.of_status(status)
        reason = words.explain(message.error_code, message.provider) if message.error_code else ""
        yield Entry(message.dead_since or message.updated_at, known.sentence, known.tone, reason)


def _decided(message: Message) -> Iterator[Entry]:
    acts = DeadLetterAction.objects.filter(message=message, kind__in=sorted(_ACTS))
    acts = acts.select_related("by").order_by("pk")
    for act in acts[:_MOST]:
        who = act.by.get_username() if act.by else _("The support")
        yield Entry(act.at, _ACTS[act.kind] % {"who": who}, "rest", act.reason)


def _done_by_staff(church: Church, message: Message, now: datetime) -> Iterator[Entry]:
    # The text itself tells who sent it, and ``DeadLetterAction`` tells about retries.
    acts = AuditEntry.objects.filter(
        church=church, subject_kind="message", subject_key=message.pk,
        at__gte=message.created_at, at__lte=now,
    ).exclude(action__in=["message.sent", "message.retried"])  # fmt: skip
    for act in acts.order_by("pk")[:_MOST]:
        sentence = _("%(who)s: %(what)s.") % {"who": act.username, "what": ACTIONS[act.action]}
        yield Entry(act.at, sentence)
