"""A uvicorn that drains at TERM and INT: importing ``realtime.uvicorn`` replaces its signal handler.

uvicorn ends sockets with 1012 by itself. It waits without a limit for held requests, and ends with
the signal in place of exit code 0.
"""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from types import FrameType

from uvicorn.server import Server

from realtime import stopping

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def install() -> None:
    """Take TERM and INT from the uvicorn server of this process, if there is one.

    uvicorn sets its handlers before it imports the classes that its options name.
    """
    for number in _SIGNALS:
        server = getattr(signal.getsignal(number), "__self__", None)
        if isinstance(server, Server):
            signal.signal(number, partial(_on_signal, server))


def _on_signal(server: Server, number: int, frame: FrameType | None) -> None:
    # Django must not be imported with this module: a server without our settings may import it.
    from realtime import conf
    from realtime.process_end import end_after, end_now

    if stopping.is_announced():
        end_now(128 + number)
    stopping.announce()
    grace = conf.stop_grace_seconds()
    end_after(grace + stopping.DRAIN_SECONDS)
    loop = asyncio.get_running_loop()
    loop.call_soon_threadsafe(loop.call_later, grace, _drain, server)


def _drain(server: Server) -> None:
    stopping.begin_to_drain()
    server.should_exit = True
