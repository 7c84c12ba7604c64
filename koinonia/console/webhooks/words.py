"""Sentences for the office about deliveries of webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from koinonia.models import WebhookDelivery, WebhookEndpoint
from koinonia.webhooks.event_types import EVENT_TYPES, RESET, TEST

_State = WebhookDelivery.State
_Off = WebhookEndpoint.Off

TYPES: dict[str, str | Promise] = {
    **EVENT_TYPES,
    TEST: gettext_lazy("A test"),
    RESET: gettext_lazy("Events are missing: the log was restored or pruned"),
}
STATES: dict[str, tuple[str | Promise, str]] = {
    _State.DELIVERED: (gettext_lazy("Taken"), "good"),
    _State.WAITING: (gettext_lazy("Trying again"), "warn"),
    _State.FAILED: (gettext_lazy("Given up"), "bad"),
    _State.LOST: (gettext_lazy("Lost"), "bad"),
}
"""State -> label and tone."""
_ERRORS: dict[str, str | Promise] = {
    "timeout": gettext_lazy("The receiver did not answer within 15 seconds."),
    "no_connection": gettext_lazy("The receiver does not accept connections."),
    "connection_broken": gettext_lazy("The receiver hung up without an answer."),
    "tls_failed": gettext_lazy("The certificate of the receiver is not valid for its name."),
    "host_unknown": gettext_lazy("The name of the receiver is not known on the internet."),
    "host_refused": gettext_lazy("The name leads to an address that is not public."),
}
_OFF: dict[str, str | Promise] = {
    _Off.OWNER: gettext_lazy("An owner has switched it off. Its events wait in the log."),
    _Off.GONE: gettext_lazy("The receiver answered that it is gone (410), so no event is sent."),
    _Off.FAILING: gettext_lazy("For 24 hours the receiver took no event, so none is sent any more."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A delivery as the page shows it."""

    delivery: WebhookDelivery
    type: str | Promise
    label: str | Promise
    tone: str
    answer: str


def line(delivery: WebhookDelivery, *, is_off: bool = False) -> Line:
    """Return the line of a delivery; ``is_off`` says that its webhook is off."""
    label, tone = STATES[delivery.state]
    if delivery.state == _State.WAITING and is_off:
        label = _("Waits")
    elif delivery.state == _State.WAITING and not delivery.attempts:
        label, tone = _("On its way"), "warn"
    kind = TYPES.get(delivery.type, delivery.type)
    return Line(delivery, kind, label, tone, answer_of(delivery))


def answer_of(delivery: WebhookDelivery) -> str:
    """Return a sentence about the last answer of the receiver."""
    if delivery.state == _State.LOST:
        return _("The event log does not hold this event any more.")
    if delivery.status is not None:
        return _answered(delivery.status)
    return str(_ERRORS.get(delivery.error, _("It was not tried yet.")))


def _answered(status: int) -> str:
    if 300 <= status < 400:
        return _("It answered %(status)s, a redirect, which is not followed.") % {"status": status}
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return _("It answered %(status)s.") % {"status": f"{status} {phrase}".strip()}


def off(endpoint: WebhookEndpoint) -> str | Promise:
    """Return why the webhook is off; empty while it is on."""
    return _OFF.get(endpoint.off, "")
