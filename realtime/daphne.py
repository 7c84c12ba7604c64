"""daphne for many listeners: ``python -m realtime.daphne application``, with daphne's own options.

Autobahn frames a message anew for each socket, and Twisted asks the event loop to say when the
socket may be written, and then not to say it any more. Here what goes to many is framed once, and
written at once to who has nothing waiting. Plain daphne does the same, at half the speed in a burst.

And two things that plain daphne does to HTTP requests are left out. It parses the body of a form on the
event loop, where all other requests wait meanwhile, and nobody uses the result. And it believes a header
with which any client could move the whole site below another path.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from autobahn.websocket.protocol import PreparedMessage
from daphne import http_protocol
from daphne.cli import CommandLineInterface
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.tcp import Connection

from realtime import keep_alive

_FRAMES_KEPT = 8
_ROOT_PATH = b"Daphne-Root-Path"


class PlainRequest(http_protocol.WebRequest):  # type: ignore[misc]  # daphne is untyped
    """A request whose body nobody reads but the application, and whose root path no client names."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "parsePOSTFormSubmission": False})

    def process(self) -> Any:
        # The root path is the operator's alone: daphne's option --root-path.
        self.requestHeaders.removeHeader(_ROOT_PATH)
        return super().process()


class PromptProtocol(WebSocketProtocol):  # type: ignore[misc]  # daphne is untyped
    """A socket that is written to before the event loop comes round."""

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802  # daphne's name
        if binary or self.state != self.STATE_OPEN:
            super().serverSend(content, binary)
        else:
            self.sendPreparedMessage(_prepared(content))

    def sendData(  # noqa: N802  # Autobahn's name
        self, data: bytes, sync: bool = False, chopsize: int | None = None
    ) -> None:
        if self.state == self.STATE_OPEN and not (sync or chopsize or self.send_queue):
            data = data[write_now(self.transport, data) :]
        if data:
            super().sendData(data, sync, chopsize)


@lru_cache(_FRAMES_KEPT)
def _prepared(text: str) -> PreparedMessage:
    return PreparedMessage(text.encode(), isBinary=False, applyMask=False, doNotCompress=False)


def write_now(transport: Any, data: bytes) -> int:
    """How many bytes the socket took: none where others wait to be written, or where it has to
    pass through something first (TLS, which is a transport of its own)."""
    if not isinstance(transport, Connection) or not transport.connected:
        return 0
    # Twisted has no public word for what waits. Without this one, everything is left to it.
    if transport.dataBuffer or getattr(transport, "_tempDataLen", True):
        return 0
    written = transport.writeSomeData(data)
    # An error comes as a value. The event loop will meet it, too, and knows what is to be done.
    return written if isinstance(written, int) else 0


def install() -> None:
    """Make daphne's server use these classes."""
    WebSocketFactory.protocol = PromptProtocol
    # Its factory looks the class up in its own module at each connection.
    http_protocol.WebRequest = PlainRequest
    keep_alive.install()


def main() -> None:
    install()
    CommandLineInterface.entrypoint()


if __name__ == "__main__":
    main()
