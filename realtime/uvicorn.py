"""uvicorn for many listeners: ``uvicorn --ws realtime.uvicorn:PatientProtocol application``."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_MOST_WAITING = 4


class PatientProtocol(WebSocketsSansIOProtocol):
    """A socket that is read on while few of its messages wait.

    uvicorn takes a socket out of the event loop at each message, and puts it back when the
    application has taken it: for an acknowledgement that is most of the work.
    """

    # Asked before reading is paused, and before it is resumed: to resume what goes on is no work.
    @property
    def read_paused(self) -> bool:
        return self.queue.qsize() < _MOST_WAITING

    @read_paused.setter
    def read_paused(self, paused: bool) -> None:
        """What waits says it."""
