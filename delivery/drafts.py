from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

DEFAULT_LIFE = timedelta(hours=24)
"""After it was due a text is too old to be sent, unless its writer says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A text as its writer hands it over, rendered and addressed."""

    to: str
    """E.164."""
    text: str
    recipient_id: int | None = None
    media_urls: tuple[str, ...] = ()
    thread: int | None = None
