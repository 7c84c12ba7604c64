from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from delivery.models.transitions import Failure

DEFAULT_LIFE = timedelta(hours=24)
"""After it was due a text is too old to be sent, unless its writer says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A text as its writer hands it over, rendered and addressed."""

    to: str
    """E.164, or the digits of a short code."""
    text: str
    recipient_id: int | None = None
    media_urls: tuple[str, ...] = ()
    thread: int | None = None
    template: str = ""
    """The text before it was rendered, where it is to be rendered again when due; else empty."""
    failure: Failure | None = None
    """Why it cannot be sent, where a host wants that seen: the row is made as a dead letter."""
