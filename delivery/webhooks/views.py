"""``POST /webhooks/<alias>/`` and ``/webhooks/<alias>/<ref>/``: verify, store, answer.

Providers wait only seconds for an answer, so a worker applies the event later.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from delivery import conf
from delivery.models import WebhookEvent
from delivery.providers import registry
from delivery.providers.base import (
    NotConfiguredError,
    ProviderEvent,
    UnreadableError,
    UntrustedError,
    WebhookRequest,
)
from delivery.webhooks import store

logger = logging.getLogger("delivery")

MAX_BYTES = 256 * 1024


class TooLargeError(Exception):
    """The body is larger than any event."""


@transaction.non_atomic_requests  # The answer says that the event is committed.
@csrf_exempt
@never_cache
@require_POST
def receive(request: HttpRequest, alias: str, ref: str = "") -> HttpResponse:
    try:
        provider = registry.get(alias)
    except registry.UnknownProviderError as error:
        raise Http404("No such provider.") from error
    now = timezone.now()
    try:
        received = WebhookRequest(
            headers=request.headers, body=_body(request), url=_url(request), ref=ref, now=now
        )
        events = provider.parse_webhook(received)
        for event in events:
            store.events.store(_row(event, alias, received))
    except TooLargeError:
        return _refusal(413, "The body is too large.", "webhook_too_large")
    except UnreadablePostError:
        return _refusal(400, "The body is incomplete.", "webhook_broken_off")
    except NotConfiguredError:
        return _refusal(503, "Webhooks are not configured here.", "webhook_not_configured")
    except UntrustedError as error:
        # The answer is the same for all reasons: details would help an attacker.
        return _refusal(400, "The signature is not valid.", f"webhook_{error.code}")
    except UnreadableError as error:
        return _refusal(400, str(error), f"webhook_{error.code}")
    return provider.webhook_response(events)


def _row(event: ProviderEvent, alias: str, request: WebhookRequest) -> WebhookEvent:
    return WebhookEvent(
        provider=alias,
        event_id=event.event_id,
        event_type=event.event_type,
        provider_id=event.provider_id,
        ref=event.ref,
        occurred_at=event.occurred_at,
        received_at=request.now,
        due_at=request.now,
        payload=event.payload,
    )


def _url(request: HttpRequest) -> str:
    """Return the URL as the provider knows it: the Host header is the caller's word."""
    origin = conf.public_url() or f"{request.scheme}://{request.get_host()}"
    return origin + request.get_full_path()


def _body(request: HttpRequest) -> bytes:
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if declared.isdigit() and int(declared) > MAX_BYTES:
        raise TooLargeError
    body: bytes = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise TooLargeError
    return body


def _refusal(status: int, reason: str, action: str) -> HttpResponse:
    logger.warning("A webhook was refused", extra={"action": action, "http_status": status})
    return HttpResponse(reason, status=status, content_type="text/plain; charset=utf-8")
