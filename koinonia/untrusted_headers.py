"""The parts of a request's ASGI scope that a client can name and must not: taken out first of all.

* ``root_path``: every link, redirect and path would begin with it. Plain daphne takes it from a header of
  the client (``Daphne-Root-Path``). This site is at the root of its host, so it has none.
* Header names with an underscore: some servers pass them on, and ``X_Forwarded_For`` reads like the
  header with hyphens, which a proxy sets.
* ``X-Forwarded-Proto`` from any peer that is not in TRUSTED_PROXIES: it decides whether links say https.
"""

from __future__ import annotations

from koinonia.static_files import Application, Receive, Scope, Send
from throttling import conf
from throttling.addresses import parse

_SCHEME = b"x-forwarded-proto"


def with_believed_scope(application: Application) -> Application:
    """``application``, asked with what it may believe."""

    async def ask(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            trusted = _comes_from_a_trusted_proxy(scope)
            headers = [
                (name, value)
                for name, value in scope["headers"]
                if b"_" not in name and (trusted or name.lower() != _SCHEME)
            ]
            scope = {**scope, "root_path": "", "headers": headers}
        await application(scope, receive, send)

    return ask


def _comes_from_a_trusted_proxy(scope: Scope) -> bool:
    client = scope.get("client")
    peer = parse(str(client[0])) if client and client[0] else None
    if peer is None:
        return conf.unix_socket_trusted()
    return any(peer in network for network in conf.trusted_proxies())
