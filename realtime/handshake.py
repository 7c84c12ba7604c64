"""Who opens this socket: a ticket, a Bearer token, or a session with the right Origin."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
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
    if not is_own_origin(scope, headers):
        raise RefusedError(CloseCode.FORBIDDEN)
    return credentials.of_session(session_key)


def _ticket(scope: Mapping[str, Any]) -> str | None:
    for offered in scope.get("subprotocols", []):
        if offered.startswith(_TICKET):
            return str(offered.removeprefix(_TICKET))
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return query["ticket"][0] if "ticket" in query else None


def _session_key(header: bytes) -> str | None:
    try:
        cookies = SimpleCookie(header.decode("latin-1"))
    except CookieError:
        return None
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else None


def is_own_origin(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> bool:
    """Whether scheme, host and port of the Origin are the site's own, or among the allowed.

    The site's own are judged as Django's CSRF protection does, proxies included.
    """
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    return _is_this_site(scope, headers, origin) or any(
        _matches(origin, allowed.lower()) for allowed in conf.allowed_origins()
    )


def _is_this_site(scope: Mapping[str, Any], headers: Mapping[bytes, bytes], origin: str) -> bool:
    request = HttpRequest()
    request.META = {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
        for name, value in headers.items()
    }
    request.META["SERVER_NAME"], request.META["SERVER_PORT"] = map(
        str, scope.get("server") or ("", "")
    )
    try:
        host = request.get_host()
    except DisallowedHost:
        return False
    # Behind a proxy, is_secure() reads SECURE_PROXY_SSL_HEADER.
    secure = request.is_secure() or scope.get("scheme") in {"wss", "https"}
    return origin == f"{'https' if secure else 'http'}://{host.lower()}"


def _matches(origin: str, allowed: str) -> bool:
    """``allowed`` may have a wildcard for subdomains, as in CSRF_TRUSTED_ORIGINS."""
    scheme, _, host = allowed.partition("://")
    if not host.startswith("*."):
        return origin == allowed.rstrip("/")
    return origin.startswith(f"{scheme}://") and origin.partition("://")[2].endswith(host[1:])
