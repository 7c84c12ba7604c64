"""``POST /webhooks/<alias>/`` and ``/webhooks/<alias>/<ref>/`` as a Django view, for WSGI servers.

``delivery.webhooks.asgi`` is the same for ASGI servers, at a third of the CPU.
"""

from __future__ import annotations

import time

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from delivery import conf, outcome_lines
from delivery.providers import registry
from delivery.providers.base import (
    NotConfiguredError,
    UnreadableError,
    UntrustedError,
    WebhookRequest,
)
from delivery.webhooks import intake, storage
from delivery.webhooks.intake import BrokenOffError, TooLargeError
from delivery.webhooks.store import NotStoredError, TooManyWaitingError
from delivery.webhooks.writer import writer


@transaction.non_atomic_requests  # The answer says that the event is committed.
@csrf_exempt
@never_cache
@require_POST
def receive(request: HttpRequest, alias: str, ref: str = "") -> HttpResponse:
    try:
        provider = registry.get(alias)
    except registry.UnknownProviderError as error:
        raise Http404("No such provider.") from error
    if conf.webhook_spool():
        writer.get()  # It replays the spool.
    now, began = timezone.now(), time.perf_counter()
    try:
        received = WebhookRequest(
            headers=request.headers, body=_body(request), url=_url(request), ref=ref, now=now
        )
        trusted = intake.read(provider, received)
        storage.events.store(trusted.rows, len(received.body))
    except (
        TooLargeError, BrokenOffError, NotConfiguredError, UntrustedError, UnreadableError,
        TooManyWaitingError, NotStoredError,
    ) as error:  # fmt: skip
        return intake.refusal(error)
    outcome_lines.webhook_taken(trusted.events, alias, time.perf_counter() - began)
    return trusted.answer()


def _url(request: HttpRequest) -> str:
    """Return the URL as the provider knows it: the Host header is the caller's word."""
    origin = conf.public_url() or f"{request.scheme}://{request.get_host()}"
    return origin + request.get_full_path()


def _body(request: HttpRequest) -> bytes:
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if declared.isdigit() and int(declared) > intake.MAX_BYTES:
        raise TooLargeError
    try:
        body: bytes = request.read(intake.MAX_BYTES + 1)
    except UnreadablePostError as error:
        raise BrokenOffError from error
    if len(body) > intake.MAX_BYTES:
        raise TooLargeError
    return body
