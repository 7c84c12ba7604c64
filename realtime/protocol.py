"""The wire protocol of the WebSocket: close codes, stream names and client frames.

docs/realtime-protocol.md describes the protocol for authors of clients.
"""

from __future__ import annotations

import json
import re
from enum import IntEnum
from typing import Any

SUBPROTOCOL = "koinonia.v1"
MAX_FRAME_BYTES = 64 * 1024
OWN_STREAM = "user:me"
_STREAM_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}:[A-Za-z0-9_-]{1,60}", re.ASCII)


class CloseCode(IntEnum):
    """The reason why the server closes a socket."""

    UNAUTHENTICATED = 4401
    """No, expired or reused credential; logout, revoked token, disabled user, changed password."""
    FORBIDDEN = 4403
    """Foreign or missing Origin, or the user may not listen to any of the streams."""
    TOO_SLOW = 4408
    """The client did not acknowledge in time. It connects again and resumes."""
    TOO_MANY = 4429
    """A limit: sockets or connects of a user, failed handshakes of an address, frames of a socket."""
    SWITCHED_OFF = 4503
    """Realtime is off; the client polls."""


REASONS: dict[int, str] = {
    CloseCode.UNAUTHENTICATED: "The credential is missing, wrong or has ended, or it may not open a socket.",
    CloseCode.FORBIDDEN: "The Origin is not allowed, or no stream is left that this user may read.",
    CloseCode.TOO_SLOW: "Events were not acknowledged in time: connect again and resume.",
    CloseCode.TOO_MANY: "There were too many sockets, connects or frames: wait a minute.",
    CloseCode.SWITCHED_OFF: "Sockets are off: use the long poll.",
}
"""Close code -> a sentence for the developer of a client, of at most 123 bytes (RFC 6455)."""


class RefusedError(Exception):
    """The server refuses this connection with ``code``."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


class FloodError(RefusedError):
    """A failed handshake from an address that exceeds the host's limit of failures."""

    def __init__(self) -> None:
        super().__init__(CloseCode.TOO_MANY)


class BadFrameError(ValueError):
    """A client frame that breaks the protocol; the text tells the client why."""


def is_stream_name(name: object) -> bool:
    return isinstance(name, str) and _STREAM_NAME.fullmatch(name) is not None


def stream_key(name: str, user_id: int) -> str | None:
    """Return the database key of a stream name, or None for the stream of another user."""
    if name == OWN_STREAM:
        return f"user:{user_id}"
    return None if name.startswith("user:") else name


def stream_name(key: str) -> str:
    """Return the name that clients use for the stream with this database key."""
    return OWN_STREAM if key.startswith("user:") else key


def parse_frame(text: str | None) -> dict[str, Any]:
    """Return the frame, an object with a ``type``. Raise :class:`BadFrameError`."""
    if text is None:
        raise BadFrameError("Frames are text, not binary.")
    if len(text) > MAX_FRAME_BYTES:
        raise BadFrameError(f"A frame has at most {MAX_FRAME_BYTES} bytes.")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFrameError("This is not JSON.") from error
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        raise BadFrameError('A frame is an object with a "type".')
    return frame


def refused_stream(frame: dict[str, Any]) -> dict[str, str]:
    """Return the stream that the error answer to a ``subscribe`` names; other errors name none."""
    name = frame.get("stream")
    return {"stream": name} if frame["type"] == "subscribe" and isinstance(name, str) else {}


def read_sequence(frame: dict[str, Any], field: str) -> int | None:
    """Return the sequence number in ``field``, or None. Raise :class:`BadFrameError`."""
    value = frame.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise BadFrameError(f'"{field}" is a whole number from 0.')
    return value


def read_epoch(frame: dict[str, Any]) -> str | None:
    """Return the epoch of a frame, or None. Raise :class:`BadFrameError`."""
    value = frame.get("epoch")
    if value is not None and not isinstance(value, str):
        raise BadFrameError('"epoch" is a string.')
    return value
