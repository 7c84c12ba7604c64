"""Labels and sentences of the console about statuses and errors of texts."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from delivery.dead_letters import reasons
from delivery.models import Message
from delivery.remedies import Remedy
from delivery.statuses import DEAD_LETTERS, Status

Words = str | Promise


@dataclass(frozen=True, slots=True)
class StatusWords:
    """Label, colour and sentence of a status. The label is enough without the colour."""

    label: Words
    tone: str
    """``good``, ``calm``, ``warn``, ``bad`` or ``rest``: the colour of the chip."""
    sentence: Words


STATUSES: dict[str, StatusWords] = {
    Status.SCHEDULED: StatusWords(_("Scheduled"), "rest", _("It goes out at its time.")),
    Status.QUEUED: StatusWords(_("Waiting"), "rest", _("It goes out as soon as it is its turn.")),
    Status.SENDING: StatusWords(_("Sending"), "calm", _("It is going out now.")),
    Status.RETRYING: StatusWords(
        _("Trying again"), "warn", _("It did not go out yet. It is tried again by itself.")
    ),
    Status.ACCEPTED: StatusWords(_("On its way"), "calm", _("The provider has it.")),
    Status.SENT: StatusWords(
        pgettext_lazy("status of a text", "Sent"), "calm", _("The carrier has it.")
    ),
    Status.DELIVERED: StatusWords(_("Delivered ✓"), "good", _("The phone has it.")),
    Status.UNCONFIRMED: StatusWords(
        _("Not confirmed"), "rest", _("It was sent. The carrier never said whether it arrived.")
    ),
    Status.FAILED: StatusWords(
        pgettext_lazy("status of a text", "Failed"), "bad", _("The carrier could not deliver it.")
    ),
    Status.DEAD: StatusWords(_("Could not be sent"), "bad", _("The provider did not accept it.")),
    Status.UNKNOWN: StatusWords(
        _("Unclear"), "warn", _("It may have arrived. It is not sent again by itself.")
    ),
    Status.SUPPRESSED: StatusWords(
        _("Opted out"), "rest", _("It was not sent, because this number opted out.")
    ),
    Status.CANCELLED: StatusWords(_("Cancelled"), "rest", _("It was stopped before it was sent.")),
    Status.EXPIRED: StatusWords(_("Expired"), "rest", _("Its time passed before it could go out.")),
    Status.RECEIVED: StatusWords(_("Received"), "good", _("Your church received it.")),
}

ADVICE: dict[Remedy, Words] = {
    Remedy.CORRECT_NUMBER: _("Send it again with the right number, or call the person."),
    Remedy.CHECK_NUMBER: _(
        "Check the number, then send it again. If it fails again, call the person."
    ),
    Remedy.CALL_PERSON: _("Call the person, or ask for another number."),
    Remedy.CHANGE_TEXT: _("Write it again: shorter, in other words, or without the pictures."),
    Remedy.COMPLETE_NAME: _("Write it again without the name, or fill in the name of the person."),
    Remedy.ASK_SUPPORT: _("Your support has to act. Send it again afterwards."),
    Remedy.RETRY_LATER: _("Send it again when texts go out again."),
    Remedy.ASK_PERSON: _("Ask the person, or send it again if a second copy does no harm."),
    Remedy.WRITE_AGAIN: _("Write it again if it still matters."),
    Remedy.NOTHING: "",
}
"""The sentences about remedies for the office."""
NEEDS_ADVICE = frozenset({*DEAD_LETTERS, Status.FAILED, Status.EXPIRED})
"""The statuses in which a text stays undelivered until a person acts."""


def of_status(status: str) -> StatusWords:
    return STATUSES.get(status) or StatusWords(status, "rest", "")


def explain(code: str, provider: str) -> str:
    """Return a sentence about an error code, from the engine or from the provider."""
    return reasons.explain(code, provider)


def remedy(code: str, provider: str = "", error_class: str = "") -> Words:
    """Return advice for the office about an error code."""
    return ADVICE[reasons.remedy(code, provider, error_class)]


def remedy_for(message: Message) -> Words:
    """Return advice about a text; empty if no act helps."""
    if message.status not in NEEDS_ADVICE:
        return ""
    return remedy(message.error_code, message.provider, message.error_class)


def shortened(text: str, most: int) -> str:
    """Return the text with at most ``most`` letters, and an ellipsis if some are left out."""
    # Truncator reads letter by letter, which most texts do not need.
    return text if len(text) <= most else Truncator(text).chars(most)
