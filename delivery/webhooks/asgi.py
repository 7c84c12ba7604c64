"""Webhooks as a plain ASGI application, in front of Django.

    application = WebhookIntake(get_asgi_application())

takes ``POST /webhooks/<alias>/`` and ``/webhooks/<alias>/<ref>/``, and passes everything else on: other
paths and methods, unknown aliases, coded bodies, and requests that a middleware refuses (a foreign
host, plain HTTP). It answers as the Django view does, at a third of its CPU.

The middlewares of the host do not see each webhook (``delivery.webhooks.answer_heads``). A host
whose middlewares decide by the client, the body or the credentials leaves this application out; the
Django view serves the same URLs.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.utils.encoding import escape_uri_path, iri_to_uri

from delivery import conf, outcome_lines
from delivery.providers import registry
from delivery.providers.base import (
    NotConfiguredError,
    Provider,
    UnreadableError,
    UntrustedError,
    WebhookRequest,
)
from delivery.signals import webhook_answered
from delivery.webhooks import intake
from delivery.webhooks.answer_heads import AnswerHeads
from delivery.webhooks.intake import BrokenOffError, TooLargeError, TooSlowError, Trusted
from delivery.webhooks.store import NotStoredError, TooManyWaitingError
from delivery.webhooks.writer import writer

logger = logging.getLogger("delivery")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

BODY_SECONDS = 10.0
"""A sender that needs longer for its body is cut off."""
_LARGE_BYTES = 16 * 1024
"""A larger body is verified in a thread, so that it does not hold the event loop."""
_PLACE = re.compile(r"(?P<alias>[a-z0-9_-]+)(?:/(?P<ref>[^/]+))?/?")
_REFUSALS = (
    TooLargeError, BrokenOffError, TooSlowError, NotConfiguredError, UntrustedError,
    UnreadableError, TooManyWaitingError, NotStoredError,
)  # fmt: skip


class _Fields(Mapping[str, str]):
    """The header fields of a request. Look-ups ignore case."""

    def __init__(self, fields: Mapping[bytes, bytes]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower().encode("latin-1")].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class WebhookIntake:
    """Answers webhooks below ``prefix``, and passes all other requests to ``application``."""

    def __init__(self, application: Application, prefix: str = "/webhooks/") -> None:
        self._application, self._prefix = application, prefix
        self._heads = AnswerHeads()
        if conf.webhook_spool():
            writer.get()  # It replays the spool of before.

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._provider(scope)
        if found is None:
            await self._application(scope, receive, send)
            return
        provider, ref = found
        fields = _fields(scope)
        shape = self._heads.shape(scope, fields)
        passed = None
        if b"content-encoding" not in fields:
            passed = await self._heads.plain(shape, scope)
        if passed is None:
            await self._application(scope, receive, send)
            return
        call = _Call(provider, ref, fields, conf.public_url() or passed.origin)
        response = await _response(call, scope, receive)
        webhook_answered.send_robust(
            sender=WebhookIntake, provider=provider.alias, status=response.status_code
        )
        head = await self._heads.head(shape, scope, response)
        if head is not None:
            await send(head.start(time.time()))
            await send({"type": "http.response.body", "body": head.body})

    def _provider(self, scope: Scope) -> tuple[Provider, str] | None:
        """Return the provider and the reference in the path of a webhook."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        path: str = scope["path"]
        if root := scope.get("root_path"):
            path = path.removeprefix(root)
        if not path.startswith(self._prefix):
            return None
        place = _PLACE.fullmatch(path, len(self._prefix))
        if place is None:
            return None
        try:
            return registry.get(place["alias"]), place["ref"] or ""
        except registry.UnknownProviderError:
            return None


@dataclass(frozen=True, slots=True)
class _Call:
    provider: Provider
    ref: str
    fields: Mapping[bytes, bytes]
    origin: str


async def _response(call: _Call, scope: Scope, receive: Receive) -> HttpResponse:
    began = time.perf_counter()
    try:
        request = WebhookRequest(
            headers=_Fields(call.fields),
            body=await _body(receive, call.fields),
            url=call.origin + _path(scope),
            ref=call.ref,
            now=datetime.now(UTC),
        )
        trusted = await _read(call.provider, request)
        await writer.get().keep(trusted.rows, len(request.body))
        seconds = time.perf_counter() - began
        outcome_lines.webhook_taken(trusted.events, call.provider.alias, seconds)
        return trusted.answer()
    except _REFUSALS as error:
        return intake.refusal(error)
    except Exception:
        logger.exception("A webhook failed", extra={"action": "webhook_failed"})
        return HttpResponse(status=500)


def _fields(scope: Scope) -> dict[bytes, bytes]:
    """Return the header fields by lower-case name, repeated ones joined, as Django does."""
    fields: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if b"_" in name:
            continue
        fields[name] = fields[name] + b"," + value if name in fields else value
    return fields


async def _read(provider: Provider, request: WebhookRequest) -> Trusted:
    if len(request.body) > _LARGE_BYTES:
        return await asyncio.to_thread(intake.read, provider, request)
    return intake.read(provider, request)


async def _body(receive: Receive, fields: Mapping[bytes, bytes]) -> bytes:
    declared = fields.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > intake.MAX_BYTES:
        raise TooLargeError
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _whole_body(receive)
    except TimeoutError as error:
        raise TooSlowError from error


async def _whole_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BrokenOffError
        body += message.get("body", b"")
        if len(body) > intake.MAX_BYTES:
            raise TooLargeError
        if not message.get("more_body"):
            return bytes(body)


def _path(scope: Scope) -> str:
    """Return path and query in the spelling of Django's ``get_full_path``."""
    query = scope.get("query_string", b"").decode("latin-1")
    return escape_uri_path(scope["path"]) + (f"?{iri_to_uri(query)}" if query else "")
