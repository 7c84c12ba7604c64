"""Labels and sentences of the console about statuses and errors of texts."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from delivery.dead_letters import reasons
from delivery.statuses import Status

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

REMEDIES: dict[str, Words] = {
    "answer_lost": _("Ask the person, or send it again if a second copy does no harm."),
    "connection_failed": _("Send it again when texts go out again."),
    "destination_refused": _("Check the number. Ask your support to allow this country."),
    "expired": _("Write it again if it still matters."),
}
"""Code of the engine -> advice for the office. Other codes: ``USUAL_REMEDY``."""

USUAL_REMEDY = _("Check the number, then send it again. If it fails again, call the person.")


def of_status(status: str) -> StatusWords:
    return STATUSES.get(status) or StatusWords(status, "rest", "")


def explain(code: str, provider: str) -> str:
    """Return a sentence about an error code, from the engine or from the provider."""
    return reasons.explain(code, provider)


def remedy(code: str) -> Words:
    """Return advice for the office about an error code."""
    return REMEDIES.get(code, USUAL_REMEDY)
