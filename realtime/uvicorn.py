"""uvicorn for many listeners: ``uvicorn --ws realtime.uvicorn:PatientProtocol application``."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

_MOST_WAITING = 4
_FRAMES_KEPT = 8


class PatientProtocol(WebSocketsSansIOProtocol):
    """A socket that is read on while few of its messages wait, and text that is framed once for all.

    uvicorn takes a socket out of the event loop at each message, and puts it back when the
    application has taken it: for an acknowledgement that is most of the work. And it frames a text
    anew for each socket, which copies it twice.
    """

    # Asked before reading is paused, and before it is resumed: to resume what goes on is no work.
    @property
    def read_paused(self) -> bool:
        if self.disconnected:
            return False
        # After its own close it reads on: the client's is what it waits for.
        return self.close_sent or self.queue.qsize() < _MOST_WAITING

    @read_paused.setter
    def read_paused(self, paused: bool) -> None:
        """What waits says it."""

    async def send(self, message: Any) -> None:
        text = message.get("text")
        if text is not None and message.get("bytes") is None and self._takes_frames():
            self.transport.write(_framed(text))
        else:
            await super().send(message)

    def _takes_frames(self) -> bool:
        """Whether it is open, has room, and has no compression of its own."""
        return (
            self.writable.is_set()
            and self.handshake_complete
            and self.conn.state is OPEN
            and not (self.disconnected or self.close_sent or self.conn.extensions)
        )


@lru_cache(_FRAMES_KEPT)
def _framed(text: str) -> bytes:
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
