"""``POST /webhooks/telnyx/`` and ``/webhooks/telnyx/<ref>/``: verify, store, 200. Nothing else.

Telnyx waits 2 s for an answer and takes exactly 200 for success, so a worker does the rest.
"""

from __future__ import annotations

import logging
import time

from django.db import transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from delivery import conf
from delivery.providers.telnyx import document, envelope, signature
from delivery.webhooks import store

logger = logging.getLogger("delivery")

MAX_BYTES = 256 * 1024


class TooLargeError(Exception):
    """The body is larger than any event."""


@transaction.non_atomic_requests  # a 200 says that the event is committed, and not only ours
@csrf_exempt
@never_cache
@require_POST
def receive(request: HttpRequest, ref: str = "") -> HttpResponse:
    try:
        key = signature.public_key(conf.public_key())
    except signature.UnusableKeyError:
        return _refusal(503, "Webhooks are not configured here.", "webhook_not_configured")
    try:
        body = _body(request)
        signature.verify(
            key,
            timestamp=request.headers.get("telnyx-timestamp", ""),
            signature=request.headers.get("telnyx-signature-ed25519", ""),
            body=body,
            now=time.time(),
        )
        store.events.store(envelope.event(document.read(body), ref=ref, now=timezone.now()))
    except TooLargeError:
        return _refusal(413, "The body is too large.", "webhook_too_large")
    except UnreadablePostError:
        return _refusal(400, "The body broke off.", "webhook_broken_off")
    except signature.UntrustedError as error:
        # One answer for all: it helps nobody to find out what would pass.
        return _refusal(400, "The signature is not valid.", f"webhook_{error.code}")
    except document.UnreadableError:
        return _refusal(400, "The body is not a JSON object.", "webhook_not_json")
    return HttpResponse(status=200)


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
