from __future__ import annotations

from dataclasses import dataclass

from delivery.models.message import Encoding


@dataclass(frozen=True, slots=True)
class Billed:
    """What a provider states about the size of one message; None where it states nothing usable."""

    parts: int | None = None
    encoding: Encoding | None = None
