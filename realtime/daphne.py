"""daphne with cheaper sends and safer requests: ``python -m realtime.daphne application``.

It takes daphne's own options. Plain daphne serves the same application; it differs in nine points:

* Autobahn frames a message again for each socket, and Twisted registers the socket with the event
  loop for writing and unregisters it. Here a text for many sockets is framed once, and is written at
  once to a socket with an empty buffer: half the CPU per frame (docs/decisions/0035).
* Twisted formats a line for a log of its own for each request. daphne discards the line.
* daphne parses the body of a form on the event loop, which blocks all other requests. The result is
  not used.
* daphne trusts the header ``Daphne-Root-Path`` of any client, which moves the site to another path.
* Twisted closes an idle connection after 60 s, and so do nginx, HAProxy and most load balancers. If
  both close at the same moment, a request races with the close and the client gets a 502.
* daphne cuts every request and socket at TERM (``realtime.daphne_stop``).
* Autobahn refuses to close a socket with 1011, and lets a late frame fail with an error that is no
  OSError.
* Twisted does not know the younger status codes: it sends ``429 Unknown Status``.
* A client has five seconds to answer a close, not one (``CLOSE_SECONDS``).
"""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import Any

import daphne.server
from autobahn.websocket.protocol import PreparedMessage
from daphne import http_protocol
from daphne.cli import CommandLineInterface
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.tcp import Connection
from twisted.web.http import RESPONSES

from realtime import daphne_stop, stopping

_CACHED_FRAMES = 8
CLOSE_SECONDS = 5
"""The wait for a client's answer to a close. Autobahn cuts after one second, which a slow network exceeds:
the client then sees 1006 instead of the code."""
_NORMAL, _OF_APPLICATIONS = 1000, 3000
"""Autobahn lets an application close with the first code, and with codes from the second on."""
_ROOT_PATH = b"Daphne-Root-Path"

for _status in HTTPStatus:
    RESPONSES.setdefault(_status.value, _status.phrase.encode())


class PlainRequest(http_protocol.WebRequest):  # type: ignore[misc]  # daphne is untyped
    """A request that leaves its body to the application and ignores a client's root path."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "parsePOSTFormSubmission": False})

    def process(self) -> Any:
        # Only the operator sets the root path, with daphne's option --root-path.
        self.requestHeaders.removeHeader(_ROOT_PATH)
        return super().process()

    def handle_reply(self, message: Any) -> None:
        if stopping.is_announced() and self.channel is not None:
            # Twisted closes the connection after this answer.
            self.channel.persistent = False
        super().handle_reply(message)


class PatientFactory(http_protocol.HTTPFactory):  # type: ignore[misc]  # daphne is untyped
    """A factory that keeps idle connections for ``REALTIME["KEEP_ALIVE_SECONDS"]``."""

    def __init__(self, server: Any) -> None:
        # A late import: this module is imported before Django is set up.
        from realtime import conf

        super().__init__(server)
        self.timeOut = conf.keep_alive_seconds()

    def buildProtocol(self, address: Any) -> Any:  # noqa: N802  # Twisted's name
        protocol = super().buildProtocol(address)
        daphne_stop.channels.add(protocol)
        return protocol

    def log(self, request: Any) -> None:
        """Write nothing: Twisted formats a line that daphne discards. daphne has a log of its own."""


class PromptProtocol(WebSocketProtocol):  # type: ignore[misc]  # daphne is untyped
    """A socket that writes before the next turn of the event loop."""

    _reason: str | None = None

    def connectionMade(self) -> None:  # noqa: N802  # Twisted's name
        super().connectionMade()
        self.closeHandshakeTimeout = CLOSE_SECONDS

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802  # daphne's name
        if self.state in (self.STATE_CLOSING, self.STATE_CLOSED):
            # Autobahn's own error is no OSError, as ASGI asks for.
            raise BrokenPipeError("The socket is closed.")
        if binary or self.state != self.STATE_OPEN:
            super().serverSend(content, binary)
        else:
            self.sendPreparedMessage(_prepared(content))

    def handle_reply(self, message: Any) -> None:
        # daphne passes on the code of a close, and not its reason.
        self._reason = message.get("reason")
        super().handle_reply(message)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802  # daphne's name
        if code is None or code == _NORMAL or code >= _OF_APPLICATIONS:
            self.sendClose(code=code or _NORMAL, reason=self._reason)
        else:
            self.close_registered(code)

    def close_registered(self, code: int) -> None:
        """Close an open socket with a code of the protocol, such as 1011, which ``sendClose`` refuses."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code, isReply=False)

    def sendData(  # noqa: N802  # Autobahn's name
        self, data: bytes, sync: bool = False, chopsize: int | None = None
    ) -> None:
        if self.state == self.STATE_OPEN and not (sync or chopsize or self.send_queue):
            data = data[write_now(self.transport, data) :]
        if data:
            super().sendData(data, sync, chopsize)


@lru_cache(_CACHED_FRAMES)
def _prepared(text: str) -> PreparedMessage:
    return PreparedMessage(text.encode(), isBinary=False, applyMask=False, doNotCompress=False)


def write_now(transport: Any, data: bytes) -> int:
    """Write to the socket; return the number of bytes that it took.

    Write nothing if earlier data waits, or if the transport is not a plain connection (TLS).
    """
    if not isinstance(transport, Connection) or not transport.connected:
        return 0
    # Twisted has no public name for the length of its buffer. If the private name disappears, this
    # returns 0 and Twisted writes everything.
    if transport.dataBuffer or getattr(transport, "_tempDataLen", True):
        return 0
    written = transport.writeSomeData(data)
    # Twisted returns errors as values; the event loop will find the same error and handle it.
    return written if isinstance(written, int) else 0


def install() -> None:
    """Make every daphne server of this process use these classes."""
    WebSocketFactory.protocol = PromptProtocol
    # daphne looks up both classes in its own modules, at each connection and at each start.
    http_protocol.WebRequest = PlainRequest
    daphne.server.HTTPFactory = PatientFactory
    CommandLineInterface.server_class = daphne_stop.DrainingServer


class QuietCommandLine(CommandLineInterface):  # type: ignore[misc]  # daphne is untyped
    """daphne's command, without its access log, which shows queries; ``--access-log`` has it."""

    def __init__(self) -> None:
        super().__init__()
        self.parser.set_defaults(verbosity=0)


def main() -> None:
    install()
    QuietCommandLine.entrypoint()


if __name__ == "__main__":
    main()
