"""Who opens this socket: a ticket, a Bearer token, or a session with the right Origin."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http.request import validate_host
from django.utils import timezone

from realtime import conf, credentials, tickets
from realtime.closing import CloseCode, RefusedError
from realtime.credentials import Credential

PROTOCOL = "koinonia.v1"
_TICKET = "ticket."


def identify(scope: Mapping[str, Any]) -> Credential:
    """The credential of a handshake. Raises :class:`RefusedError`. Synchronous: it asks the database."""
    if not conf.enabled():
        raise RefusedError(CloseCode.SWITCHED_OFF)
    credential = _find(scope)
    user = credential.user() if credential else None
    if credential is None or user is None:
        raise RefusedError(CloseCode.UNAUTHENTICATED)
    limit = conf.connect_limit()
    if limit is not None and not limit(user):
        raise RefusedError(CloseCode.TOO_MANY)
    return credential


def _find(scope: Mapping[str, Any]) -> Credential | None:
    headers = {name.lower(): value for name, value in scope["headers"]}
    if ticket := _ticket(scope):
        return tickets.redeem(ticket, now=timezone.now())
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.of_bearer(token.strip())
    session_key = _session_key(headers.get(b"cookie", b""))
    if session_key is None:
        return None
    if not is_own_origin(headers):
        raise RefusedError(CloseCode.FORBIDDEN)
    return credentials.of_session(session_key)


def _ticket(scope: Mapping[str, Any]) -> str | None:
    for offered in scope.get("subprotocols", []):
        if offered.startswith(_TICKET):
            return str(offered.removeprefix(_TICKET))
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return query.get("ticket", [None])[0]


def _session_key(header: bytes) -> str | None:
    try:
        cookies = SimpleCookie(header.decode("latin-1"))
    except CookieError:
        return None
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else None


def is_own_origin(headers: Mapping[bytes, bytes]) -> bool:
    """Whether scheme, host and port of the Origin are the site's own, or among the allowed."""
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    if origin in conf.allowed_origins():
        return True
    host = headers.get(b"host", b"").decode("latin-1").lower()
    parts = urlsplit(origin)
    if parts.scheme not in _own_schemes() or parts.netloc != host or not host:
        return False
    allowed = settings.ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]", ".localhost"]
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return validate_host(name, allowed)


def _own_schemes() -> tuple[str, ...]:
    # A page that had its cookie over https alone cannot be an http page.
    return ("https",) if settings.SESSION_COOKIE_SECURE else ("http", "https")
