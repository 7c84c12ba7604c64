"""The request that the present code works for: its id and its church, for every line of the log.

The id is the trace id of W3C Trace Context: a caller that sends a valid ``traceparent`` finds its own
trace in our log, and any other request begins a trace.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any
from uuid import UUID

_TRACEPARENT = re.compile(
    rb"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}(?P<more>-.*)?"
)
_LONGEST = 512


class LogContext:
    """A request or a socket. Threads that work for it share this object."""

    __slots__ = ("church_id", "parent_id", "request", "request_id")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.request_id, self.parent_id = _trace_of(headers)
        self.request: Any = None
        """Django's request, once there is one. Its church is known after its path is resolved."""
        self.church_id: int | None = None
        """Set once the user's membership of the church is known."""

    @property
    def church(self) -> str:
        """Return the slug in the path of the request; empty for any other request."""
        match = getattr(self.request, "resolver_match", None)
        return str(match.kwargs.get("church", "")) if match is not None else ""


def note_church(pk: int) -> None:
    """Give the id of the present request's church to its lines."""
    if (context := current.get()) is not None:
        context.church_id = pk


current: ContextVar[LogContext | None] = ContextVar("koinonia_log_context", default=None)


def fields() -> dict[str, Any]:
    """Return the fields that each line of the present request has."""
    context = current.get()
    if context is None:
        return {}
    found: dict[str, Any] = {"request_id": context.request_id}
    if church := context.church:
        found["church"] = church
    if context.church_id is not None:
        found["church_id"] = context.church_id
    return found


def trace() -> UUID | None:
    """Return the trace of the present request, to store with its texts (``DELIVERY["TRACE"]``)."""
    context = current.get()
    return None if context is None else UUID(hex=context.request_id)


def _trace_of(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, str]:
    """Return the trace id and the caller's span id; a new trace where the caller names none.

    W3C Trace Context, section 3.2: ``ff`` is no version, an id of zeros is invalid, and only versions
    after ``00`` may have more parts. Two headers name no trace.
    """
    given = [value for name, value in headers if name == b"traceparent"]
    found = (
        _TRACEPARENT.fullmatch(given[0]) if len(given) == 1 and len(given[0]) <= _LONGEST else None
    )
    if found is None or not _is_valid(found):
        return secrets.token_hex(16), ""
    return found["trace"].decode(), found["parent"].decode()


def _is_valid(found: re.Match[bytes]) -> bool:
    return (
        found["version"] != b"ff"
        and not (found["version"] == b"00" and found["more"])
        and found["trace"].strip(b"0") != b""
        and found["parent"].strip(b"0") != b""
    )
