"""Explain the state of one text to support: its meaning, the next step, a sentence for the church.

The sentences about states and codes are those of the console (``koinonia.console.words``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from delivery.dead_letters.queue import masked
from delivery.models import Direction, Message
from delivery.statuses import DEAD_LETTERS, Status
from koinonia.console import words
from koinonia.desk.find.waiting import why_it_waits

_FAILED = frozenset({Status.FAILED, Status.DEAD, Status.UNKNOWN, Status.EXPIRED})
_STEPS: dict[str, str] = {
    Status.SCHEDULED: "Nothing: it goes out at its time. The church can change or cancel it.",
    Status.QUEUED: (
        "Nothing, unless it is late: then look at the breaker, the holds and the daily limits."
    ),
    Status.SENDING: "Nothing: a worker has it. If the worker is lost, another takes it after 30 s.",
    Status.RETRYING: "Nothing: it is tried again by itself.",
    Status.ACCEPTED: (
        "Nothing yet: the provider is asked about it after 15 minutes without a report."
    ),
    Status.SENT: "Nothing yet: the carrier reports later, or never.",
    Status.DELIVERED: (
        "The carrier vouches that the phone has it. If the person does not see it, ask them to look"
        " among blocked and filtered texts."
    ),
    Status.UNCONFIRMED: "Ask the church whether the person has it. It is not sent again by itself.",
    Status.FAILED: (
        "It cannot be retried: the carrier has said no. The church can write to another number of"
        " the person, or call."
    ),
    Status.DEAD: "Put the cause right, then retry it. If nobody needs it any more, discard it.",
    Status.UNKNOWN: (
        "Ask the church whether the person has it. Retry it only if a second copy does no harm, else"
        " discard it."
    ),
    Status.SUPPRESSED: (
        "Nothing: the person does not want texts. Only the person can change that, by texting START"
        " or by telling the church."
    ),
    Status.CANCELLED: "Nothing: a person stopped it.",
    Status.EXPIRED: "It cannot be retried. The church writes it again if it still matters.",
    Status.RECEIVED: "Nothing: it is in the inbox of the church.",
}
_ACCOUNT = (
    "The account or the sending number is the cause, not this text: other texts meet the same."
    " Look at the hold and at the provider's portal first."
)


@dataclass(frozen=True, slots=True)
class Advice:
    meaning: str
    """The state, and the reason for it."""
    step: str
    """The next step of support."""
    for_church: str
    """A sentence or two to send to the church, without a whole number and without words."""
    may_retry: bool
    may_double: bool
    """A retry can send a second copy."""


def advice(message: Message, now: datetime) -> Advice:
    """Return the advice about ``message`` in its present state."""
    is_letter = message.status in DEAD_LETTERS
    discarded = is_letter and message.discarded_at is not None
    meaning = " ".join([*_meaning(message), why_it_waits(message, now)]).strip()
    step = _STEPS.get(message.status, "")
    if discarded:
        step = "Nothing: a person discarded it. It stays as it is."
    elif message.status in _FAILED and message.error_class == "configuration":
        step = f"{_ACCOUNT} {step}"
    return Advice(
        meaning=meaning,
        step=step,
        for_church=_for_church(message),
        may_retry=is_letter and not discarded,
        may_double=message.status == Status.UNKNOWN,
    )


def _meaning(message: Message) -> list[str]:
    found = [str(words.of_status(message.status).sentence)]
    if message.error_code:
        found.append(words.explain(message.error_code, message.provider))
    return found


def _for_church(message: Message) -> str:
    at = f"{message.created_at:%Y-%m-%d %H:%M} UTC"
    if message.direction == Direction.INBOUND:
        number = masked(message.from_number)
        return f"The text from {number} of {at} is in your inbox."
    told = [f"Your text to {masked(message.to_number)} of {at}: {' '.join(_meaning(message))}"]
    told.append(str(words.remedy_for(message)))
    return " ".join(told).strip()
