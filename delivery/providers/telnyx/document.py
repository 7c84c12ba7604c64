"""A body of Telnyx's as JSON that every database can store."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from delivery.content.visible_text import storable

_DEEPEST = 50


class UnreadableError(ValueError):
    """The body is not a JSON object."""


def read(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``; raises :class:`UnreadableError`."""
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_refuse)
        storable = _storable(document, _DEEPEST)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("The body is not JSON.") from error
    if not isinstance(storable, dict):
        raise UnreadableError("The body is not a JSON object.")
    return storable


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON (RFC 8259, section 6).")


def _storable(value: Any, depth: int) -> Any:
    """JSON has no infinite number, whatever Python reads."""
    if depth == 0:
        raise ValueError("The body is nested too deeply.")
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_storable(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {_storable(key, 1): _storable(item, depth - 1) for key, item in value.items()}
    return value
