"""How long daphne keeps a connection that is idle.

Twisted closes one after 60 s, which is how long nginx, HAProxy and most load balancers keep theirs: now
and then both decide at once, a request meets a closing connection, and its client is answered 502. A
server must wait for longer than the proxy before it.
"""

from __future__ import annotations

from typing import Any

import daphne.server
from daphne.http_protocol import HTTPFactory


class PatientFactory(HTTPFactory):  # type: ignore[misc]  # daphne is untyped
    """As daphne's, with ``REALTIME["KEEP_ALIVE_SECONDS"]`` for each connection."""

    def __init__(self, server: Any) -> None:
        # Late: this module is imported before the application, and with it Django, is set up.
        from realtime import conf

        super().__init__(server)
        self.timeOut = conf.keep_alive_seconds()


def install() -> None:
    """Let every server of this process use it; settings are read when one starts."""
    daphne.server.HTTPFactory = PatientFactory
