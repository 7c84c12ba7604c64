"""The bodies of webhooks: an event of the log in the shape of Standard Webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from koinonia.events import milliseconds


def event_id(church: str, epoch: str, seq: int) -> str:
    """Return the id of an event: the same in each attempt and for each endpoint."""
    return f"evt_{church}_{epoch}_{seq}"


def of_log(key: str, church: str, body: str) -> bytes:
    """Return the payload of an event of the log; ``body`` is its JSON there."""
    event = orjson.loads(body)
    return _encode(key, church, event["type"], event["at"], event["seq"], event["data"])


def of_its_own(key: str, church: str, kind: str, at: datetime, data: dict[str, Any]) -> bytes:
    """Return the payload of an event that the log does not hold."""
    return _encode(key, church, kind, milliseconds(at), None, data)


def _encode(key: str, church: str, kind: str, at: str, seq: int | None, data: Any) -> bytes:
    return orjson.dumps(
        {"id": key, "type": kind, "timestamp": at, "church": church, "seq": seq, "data": data}
    )
