"""Removal of untrusted parts of an ASGI scope, before all other code.

* ``root_path``, the prefix of every link and redirect. Plain daphne reads it from a request header
  (``Daphne-Root-Path``). This site is at the root of its host and does not have a prefix.
* Header names with an underscore. Some servers pass them on, and Django cannot tell
  ``X_Forwarded_For`` from ``X-Forwarded-For``, which the proxy sets.
* ``X-Forwarded-Proto`` from a peer outside TRUSTED_PROXIES. It decides whether links use https.
"""

from __future__ import annotations

from koinonia.static_files import Application, Receive, Scope, Send
from throttling import conf
from throttling.addresses import parse

_SCHEME = b"x-forwarded-proto"


def without_untrusted_headers(application: Application) -> Application:
    """Wrap ``application`` so that its scope holds trusted values only."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            trusted = _comes_from_a_trusted_proxy(scope)
            headers = [
                (name, value)
                for name, value in scope["headers"]
                if b"_" not in name and (trusted or name.lower() != _SCHEME)
            ]
            scope = {**scope, "root_path": "", "headers": headers}
        await application(scope, receive, send)

    return call


def _comes_from_a_trusted_proxy(scope: Scope) -> bool:
    client = scope.get("client")
    peer = parse(str(client[0])) if client and client[0] else None
    if peer is None:
        return conf.unix_socket_trusted()
    return any(peer in network for network in conf.trusted_proxies())
