"""What clients say, and what they may not."""

from __future__ import annotations

import json
from typing import Any

LARGEST_FRAME = 64 * 1024


class BadFrameError(ValueError):
    """Not a frame of this protocol; the text says what is wrong."""


def parse(text: str | None) -> dict[str, Any]:
    """The frame, an object with a ``type``. Raises :class:`BadFrameError`."""
    if text is None:
        raise BadFrameError("Frames are text, not binary.")
    if len(text) > LARGEST_FRAME:
        raise BadFrameError(f"A frame has at most {LARGEST_FRAME} bytes.")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFrameError("This is not JSON.") from error
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        raise BadFrameError('A frame is an object with a "type".')
    return frame


def subject(frame: dict[str, Any]) -> dict[str, str]:
    """The stream that a refused ``subscribe`` is about, for its answer: others name none."""
    name = frame.get("stream")
    return {"stream": name} if frame["type"] == "subscribe" and isinstance(name, str) else {}


def sequence(frame: dict[str, Any], field: str) -> int | None:
    """The whole number in ``field``, None where there is none. Raises :class:`BadFrameError`."""
    value = frame.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise BadFrameError(f'"{field}" is a whole number from 0.')
    return value


def epoch(frame: dict[str, Any]) -> str | None:
    value = frame.get("epoch")
    if value is not None and not isinstance(value, str):
        raise BadFrameError('"epoch" is a string.')
    return value
