"""A daphne that drains at TERM and INT. Plain daphne cuts every request and every socket."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any
from weakref import WeakSet

from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor as _reactor

from realtime import stopping
from realtime.process_end import end_after, end_now

RESTART = 1012
_LOOK_SECONDS = 0.05
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Twisted's reactor is a module that has the methods of the installed reactor.
reactor: Any = _reactor
channels: WeakSet[Any] = WeakSet()
"""The open HTTP connections of this process."""


class DrainingServer(Server):  # type: ignore[misc]  # daphne is untyped
    """Finishes requests, closes sockets with 1012, and ends within ten seconds after the grace."""

    def run(self) -> None:
        self._ports: list[Any] = []
        self._drained_from = 0.0
        if self.signal_handlers:
            # After Twisted's own handlers.
            reactor.callWhenRunning(self._handle_signals)
        super().run()

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)

    def _handle_signals(self) -> None:
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if stopping.is_announced():
            end_now(128 + number)
        stopping.announce()
        reactor.callFromThread(self._begin)

    def _begin(self) -> None:
        from realtime import conf  # a late import: Django is set up by now

        grace = conf.stop_grace_seconds()
        end_after(grace + stopping.DRAIN_SECONDS + _LOOK_SECONDS)
        reactor.callLater(grace, self._drain)

    def _drain(self) -> None:
        for port in self._ports:
            # Accept the connections that wait: closing the port would reset them.
            port.doRead()
            port.stopListening()
        self._drained_from = time.monotonic()
        stopping.begin_to_drain()
        self._look()

    def _look(self) -> None:
        """Close what may be closed, and stop when nothing is left or the time is over."""
        self._close_sockets()
        seconds = time.monotonic() - self._drained_from
        if seconds > stopping.IDLE_SECONDS:
            _close_idle_channels()
        if not (self._is_serving() or _open_channels()) or seconds > stopping.DRAIN_SECONDS:
            self.stop()
        else:
            reactor.callLater(_LOOK_SECONDS, self._look)

    def _close_sockets(self) -> None:
        for protocol in list(self.connections):
            # A handshake of this moment finishes first; the next look closes its socket.
            if isinstance(protocol, WebSocketProtocol) and protocol.state == protocol.STATE_OPEN:
                # Autobahn's sendClose refuses the registered code of a restart.
                protocol.close_registered(RESTART)

    def _is_serving(self) -> bool:
        return any(
            not details["application_instance"].done()
            for details in self.connections.values()
            if "application_instance" in details
        )

    def kill_all_applications(self) -> Any:
        # daphne expects an application of each connection, but removes those that have ended.
        self.connections: dict[Any, dict[str, Any]] = {
            protocol: details
            for protocol, details in self.connections.items()
            if "application_instance" in details
        }
        return super().kill_all_applications()


def _open_channels() -> list[Any]:
    return [one for one in channels if _transport(one) is not None and not _is_upgraded(one)]


def _transport(channel: Any) -> Any | None:
    # Twisted has no public name for the HTTPChannel inside its protocol.
    transport = channel._channel.transport
    return transport if transport is not None and getattr(transport, "connected", True) else None


def _is_upgraded(channel: Any) -> bool:
    """Return whether a socket has taken the connection over."""
    return any(request.transport is None for request in channel._channel.requests)


def _close_idle_channels() -> None:
    for channel in _open_channels():
        if not channel._channel.requests:
            channel._channel.loseConnection()
