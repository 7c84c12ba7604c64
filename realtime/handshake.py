"""Authenticates a handshake by a ticket, a Bearer token, or a session cookie with an allowed Origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, parse_cookie
from django.utils import timezone

from realtime import conf, credentials, tickets
from realtime.credentials import Credential
from realtime.protocol import CloseCode, FloodError, RefusedError

Scope = Mapping[str, Any]

_TICKET = "ticket."


def identify(scope: Scope) -> Credential:
    """Return the credential of a handshake. Raise :class:`RefusedError`. Queries the database."""
    if not conf.enabled():
        raise RefusedError(CloseCode.SWITCHED_OFF)
    try:
        credential, user = _authenticate(scope)
    except RefusedError:
        may_fail = conf.address_limit()
        if may_fail is not None and not may_fail(request_of(scope)):
            raise FloodError from None
        raise
    limit = conf.connect_limit()
    if limit is not None and not limit(user):
        raise RefusedError(CloseCode.TOO_MANY)
    return credential


def client_address(scope: Scope) -> str:
    """Return the client's address, as the host determines it."""
    return conf.client_address()(request_of(scope))


def _authenticate(scope: Scope) -> tuple[Credential, AbstractBaseUser]:
    credential = _find_credential(scope)
    user = credential.user() if credential else None
    if credential is None or user is None:
        raise RefusedError(CloseCode.UNAUTHENTICATED)
    return credential, user


def _find_credential(scope: Scope) -> Credential | None:
    headers = request_of(scope).META
    if ticket := _ticket(scope):
        return tickets.redeem(ticket, now=timezone.now())
    scheme, _, token = headers.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.of_bearer(token.strip())
    session_key = _session_key(headers.get("HTTP_COOKIE", ""))
    if session_key is None:
        return None
    if not is_own_origin(scope):
        raise RefusedError(CloseCode.FORBIDDEN)
    return credentials.of_session(session_key)


def _ticket(scope: Scope) -> str | None:
    for offered in scope.get("subprotocols", []):
        if offered.startswith(_TICKET):
            return str(offered.removeprefix(_TICKET))
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return query["ticket"][0] if "ticket" in query else None


def _session_key(header: str) -> str | None:
    # Django's parser: http.cookies drops all cookies if a single one is malformed.
    return parse_cookie(header).get(settings.SESSION_COOKIE_NAME)


def is_own_origin(scope: Scope) -> bool:
    """Return whether scheme, host and port of the Origin match the site or an allowed origin.

    Like Django's CSRF protection, this takes the headers of trusted proxies into account.
    """
    request = request_of(scope)
    origin = request.META.get("HTTP_ORIGIN", "").lower()
    return _is_this_site(scope, request, origin) or any(
        _matches(origin, allowed.lower()) for allowed in conf.allowed_origins()
    )


def _is_this_site(scope: Scope, request: HttpRequest, origin: str) -> bool:
    try:
        host = request.get_host()
    except DisallowedHost:
        return False
    # Behind a proxy, is_secure() reads SECURE_PROXY_SSL_HEADER.
    secure = request.is_secure() or scope.get("scheme") in {"wss", "https"}
    return origin == f"{'https' if secure else 'http'}://{host.lower()}"


def request_of(scope: Scope) -> HttpRequest:
    """Return a Django request with the headers, the server and the peer of the handshake."""
    request = HttpRequest()
    for name, value in scope["headers"]:
        if b"_" in name:
            continue  # Spoofing: META cannot tell it from a proxy's header with a hyphen.
        key = f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"
        earlier = request.META.get(key)
        text = value.decode("latin-1")
        separator = ";" if key == "HTTP_COOKIE" else ","
        request.META[key] = text if earlier is None else f"{earlier}{separator}{text}"
    request.META["SERVER_NAME"], request.META["SERVER_PORT"] = map(
        str, scope.get("server") or ("", "")
    )
    request.META["REMOTE_ADDR"] = str((scope.get("client") or ("",))[0] or "")
    return request


def _matches(origin: str, allowed: str) -> bool:
    """Compare an origin; ``allowed`` may have a wildcard for subdomains, as in CSRF_TRUSTED_ORIGINS."""
    scheme, _, host = allowed.partition("://")
    if not host.startswith("*."):
        return origin == allowed.rstrip("/")
    return origin.startswith(f"{scheme}://") and origin.partition("://")[2].endswith(host[1:])
