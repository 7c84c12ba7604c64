"""The whole story of one text, for support, from every part of the system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from delivery.dead_letters import explain
from delivery.models import (
    Attempt,
    ConsentChange,
    DeadLetterAction,
    Direction,
    Message,
    OptOut,
    Outcome,
    WebhookEvent,
)
from delivery.webhooks.redacted import redacted
from koinonia.audit import ACTIONS
from koinonia.console.sent.timeline import Entry, Story
from koinonia.console.sent.timeline import story as timeline
from koinonia.desk.find.told import Told, told_about
from koinonia.ids import encode
from koinonia.models import AuditEntry, Broadcast

MOST = 50
"""Calls, webhooks, changes and acts that the page lists."""
_SUPPORT_ACTS = {
    DeadLetterAction.Kind.NOTE.value: "{who} noted:",
    DeadLetterAction.Kind.ASSIGN.value: "{who} assigned it to:",
    "free": "{who} ended the assignment.",
}
_THROUGH = {"page": "a page of the console", "api": "the API"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the provider, with a sentence about its code."""

    attempt: Attempt
    explanation: str


@dataclass(frozen=True, slots=True)
class Report:
    """A webhook of the provider without personal data."""

    event: WebhookEvent
    payload: str


@dataclass(frozen=True, slots=True)
class WholeStory:
    accepted: str
    """A sentence about the author and the page or program."""
    entries: list[Entry]
    calls: list[Call]
    reports: list[Report]
    told: list[Told]
    opt_outs: list[OptOut]
    changes: list[ConsentChange]
    """The log of opt-outs of this number at this church, newest first."""
    acts: list[tuple[AuditEntry, str]]
    """The acts of people, with a sentence for each."""


def whole_story(message: Message, now: datetime) -> WholeStory:
    known = timeline(message.tenant, message, now)
    calls = list(Attempt.objects.filter(message=message).order_by("number")[:MOST])
    reports = _with_payload(known)
    number = person_of(message)
    opt_outs = OptOut.objects.filter(tenant=message.tenant, number=number)
    changes = ConsentChange.objects.filter(tenant=message.tenant, number=number)
    acts = list(
        AuditEntry.objects.filter(
            church=message.tenant, subject_kind="message", subject_key=message.pk,
            at__gte=message.created_at,
        ).order_by("pk")[:MOST]
    )  # fmt: skip
    return WholeStory(
        accepted=_accepted(message, acts),
        entries=_entries(known, message),
        calls=[Call(call, _explained(call, message)) for call in calls],
        reports=reports,
        told=told_about(message, calls, [report.event for report in reports]),
        opt_outs=list(opt_outs),
        changes=list(changes.select_related("by").order_by("-pk")[:MOST]),
        acts=[(act, str(ACTIONS.get(act.action, act.action))) for act in acts],
    )


def _entries(known: Story, message: Message) -> list[Entry]:
    """Return the lines that the office sees, with those that only support sees."""
    if message.direction == Direction.INBOUND:
        return []
    acts = DeadLetterAction.objects.filter(message=message, kind__in=sorted(_SUPPORT_ACTS))
    found = [*known.entries]
    for act in acts.select_related("by").order_by("pk")[:MOST]:
        who = act.by.get_username() if act.by else "The system"
        kind = act.kind if act.reason else "free"
        found.append(Entry(act.at, _SUPPORT_ACTS[kind].format(who=who), "rest", act.reason))
    return sorted(found, key=lambda entry: entry.at)


def person_of(message: Message) -> str:
    """Return the number of the person, who may be the sender or the recipient."""
    is_inbound = message.direction == Direction.INBOUND
    return message.from_number if is_inbound else message.to_number


def _explained(call: Attempt, message: Message) -> str:
    if call.outcome == Outcome.ACCEPTED or not call.code:
        return ""
    return explain(call.code, message.provider)


def _with_payload(known: Story) -> list[Report]:
    keys = [event.pk for event in known.reports]
    payloads = dict(WebhookEvent.objects.filter(pk__in=keys).values_list("pk", "payload"))
    return [
        Report(event, redacted(payloads.get(event.pk), event.provider)) for event in known.reports
    ]


def _accepted(message: Message, acts: Sequence[AuditEntry]) -> str:
    if message.direction == Direction.INBOUND:
        return f"A person texted the church. {message.provider.title()} sent it to us."
    author = message.author.get_username() if message.author else ""
    if message.batch:
        broadcast = Broadcast.objects.filter(pk=message.batch).select_related("author").first()
        who = broadcast.author.get_username() if broadcast and broadcast.author else author
        of = f"broadcast {encode(message.batch)}"
        return f"It is part of {of}, sent by {who}." if who else f"It is part of {of}."
    if not author and message.author_id:
        return "A user sent it whose account was deleted since."
    if not author:
        return "The system wrote it: an automatic answer."
    through = next((act.detail.get("through") for act in acts if act.action == "message.sent"), "")
    how = _THROUGH.get(str(through), "")
    return f"{author} sent it through {how}." if how else f"{author} sent it."
