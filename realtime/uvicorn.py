"""uvicorn with cheaper sends: ``uvicorn --ws realtime.uvicorn:PatientProtocol application``.

docs/decisions/0035 has the figures with and without it. At TERM such a server drains as daphne does
(``realtime.uvicorn_stop``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

from realtime import uvicorn_stop

_MAX_QUEUED = 4
_CACHED_FRAMES = 8


class PatientProtocol(WebSocketsSansIOProtocol):
    """A socket that keeps reading while few of its messages wait, and frames a text once for all.

    uvicorn pauses and resumes reading at each message, which is most of the cost of an
    acknowledgement. It also frames a text again for each socket, and copies it twice.
    """

    # uvicorn reads this before it pauses and before it resumes; a wrong answer saves that work.
    @property
    def read_paused(self) -> bool:
        if self.disconnected:
            return False
        # After our own close, keep reading: the close frame of the client is still to come.
        return self.close_sent or self.queue.qsize() < _MAX_QUEUED

    @read_paused.setter
    def read_paused(self, paused: bool) -> None:
        """Ignore the value: the number of queued messages decides."""

    async def send(self, message: Any) -> None:
        text = message.get("text")
        if text is not None and message.get("bytes") is None and self._takes_shared_frames():
            self.transport.write(_framed(text))
        else:
            await super().send(message)

    def _takes_shared_frames(self) -> bool:
        """Return whether the socket is open, has room, and does not compress."""
        return (
            self.writable.is_set()
            and self.handshake_complete
            and self.conn.state is OPEN
            and not (self.disconnected or self.close_sent or self.conn.extensions)
        )


@lru_cache(_CACHED_FRAMES)
def _framed(text: str) -> bytes:
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


uvicorn_stop.install()
