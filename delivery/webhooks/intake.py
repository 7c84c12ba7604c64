"""From the request of a provider to the answer, for both shells: the Django view and the ASGI application.

Providers wait only seconds for an answer, so the event is stored, and a worker applies it later.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse

from delivery.providers.base import (
    NotConfiguredError,
    Provider,
    ProviderEvent,
    UnreadableError,
    UntrustedError,
    WebhookRequest,
)
from delivery.webhooks.event_rows import EventRow, row_of
from delivery.webhooks.storage import outage
from delivery.webhooks.store import NotStoredError, TooManyWaitingError

logger = logging.getLogger("delivery")

MAX_BYTES = 256 * 1024
RETRY_SECONDS = 2


class TooLargeError(Exception):
    """The body is larger than any event."""


class BrokenOffError(Exception):
    """The connection ended before the body did."""


class TooSlowError(Exception):
    """The body did not arrive in time."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """The events of a webhook whose signature is valid."""

    provider: Provider
    events: Sequence[ProviderEvent]
    rows: Sequence[EventRow]

    def answer(self) -> HttpResponse:
        """Return the answer that says that the events are stored."""
        return self.provider.webhook_response(self.events)


def read(provider: Provider, request: WebhookRequest) -> Trusted:
    """Return the events in ``request``.

    Raises NotConfiguredError, UntrustedError and UnreadableError.
    """
    events = provider.parse_webhook(request)
    rows = [row_of(event, provider.alias, request.now) for event in events]
    return Trusted(provider, events, rows)


def refusal(error: Exception) -> HttpResponse:
    """Return the answer to a webhook that is not stored, and log why. Raises an unknown ``error``."""
    match error:
        case TooLargeError():
            return _refusal(413, "The body is too large.", "webhook_too_large")
        case BrokenOffError():
            return _refusal(400, "The body is incomplete.", "webhook_broken_off")
        case TooSlowError():
            response = _refusal(408, "The body came too slowly.", "webhook_too_slow")
            response.headers["Connection"] = "close"
            return response
        case NotConfiguredError():
            extra = {"action": "webhook_not_configured", "http_status": 503}
            logger.error("A webhook came, and its key is not configured", extra=extra)
            return _answer(503, "Webhooks are not configured here.")
        case UntrustedError():
            # The answer is the same for all reasons: details would help an attacker.
            return _refusal(400, "The signature is not valid.", f"webhook_{error.code}")
        case UnreadableError():
            return _refusal(400, str(error), f"webhook_{error.code}")
        case TooManyWaitingError():
            response = _refusal(503, "Too many events wait to be stored.", "webhook_too_many")
            response.headers["Retry-After"] = str(RETRY_SECONDS)
            return response
        case NotStoredError():
            return _not_stored(error)
    raise error


def _not_stored(error: NotStoredError) -> HttpResponse:
    """Return 503 in an outage, 500 for an event that the database refuses.

    A provider repeats a webhook that was answered with 5xx, if it repeats at all.
    """
    if error.is_outage:
        outage.failed(error.__cause__ or error, time.monotonic())
        return _later(str(error))
    extra = {"action": "webhook_not_stored", "http_status": 500}
    logger.error("A webhook was not stored", exc_info=error, extra=extra)
    return _answer(500, str(error))


def _later(reason: str) -> HttpResponse:
    response = _answer(503, reason)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    # Django's mark: it would log each 5xx of the view.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _refusal(status: int, reason: str, action: str) -> HttpResponse:
    logger.warning("A webhook was refused", extra={"action": action, "http_status": status})
    return _answer(status, reason)


def _answer(status: int, reason: str) -> HttpResponse:
    return HttpResponse(reason, status=status, content_type="text/plain; charset=utf-8")
