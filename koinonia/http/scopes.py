"""ASGI wrappers that clean a request's scope before Django sees it, and the types of ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from throttling import conf
from throttling.addresses import parse

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_FORWARDED_PROTO = b"x-forwarded-proto"
_CONTENT_TYPE = b"content-type"
_MAX_CONTENT_TYPE_LENGTH = 500


def with_believed_scope(application: Application) -> Application:
    """Wrap ``application``: remove the parts of the scope that a client must not choose.

    * ``root_path``: every link and redirect would begin with it, and plain daphne takes it from a
      header of the client (``Daphne-Root-Path``). This site is at the root of its host.
    * Header names with an underscore: some servers pass them on, and Django reads
      ``X_Forwarded_For`` like ``X-Forwarded-For``, which a proxy sets.
    * ``X-Forwarded-Proto`` from a peer outside TRUSTED_PROXIES: it decides whether links say https.
    """

    async def cleaned(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            trusted = _comes_from_a_trusted_proxy(scope)
            headers = [
                (name, value)
                for name, value in scope["headers"]
                if b"_" not in name and (trusted or name.lower() != _FORWARDED_PROTO)
            ]
            scope = {**scope, "root_path": "", "headers": headers}
        await application(scope, receive, send)

    return cleaned


def _comes_from_a_trusted_proxy(scope: Scope) -> bool:
    client = scope.get("client")
    peer = parse(str(client[0])) if client and client[0] else None
    if peer is None:
        return conf.unix_socket_trusted()
    return any(peer in network for network in conf.trusted_proxies())


def with_readable_content_type(application: Application) -> Application:
    """Wrap ``application``: remove the parts of a Content-Type that Django cannot read.

    Django decodes parameters of RFC 2231 (``a*=x''%ff``), and takes any ``charset`` that Python has
    a codec for, while it builds the request. No error handler is active at that moment.
    """

    async def cleaned(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = [_with_readable_parameters(*header) for header in scope["headers"]]
            scope = {**scope, "headers": headers}
        await application(scope, receive, send)

    return cleaned


def _with_readable_parameters(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name.lower() != _CONTENT_TYPE:
        return name, value
    media_type, *parameters = value[:_MAX_CONTENT_TYPE_LENGTH].split(b";")
    kept = [one for one in parameters if b"*" not in one.partition(b"=")[0] and _is_text(one)]
    return name, b";".join([media_type, *kept])


def _is_text(parameter: bytes) -> bool:
    """Return False for a charset that does not decode to text, such as ``zlib``, which unpacks."""
    name, _, value = parameter.partition(b"=")
    if name.strip().lower() != b"charset":
        return True
    try:
        "".encode(value.strip().strip(b"\"'").decode("ascii"))
    except (LookupError, UnicodeError, ValueError):
        return False
    return True
