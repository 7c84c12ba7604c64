"""When a child that died is started again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass

_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
STABLE_SECONDS = 60.0


@dataclass
class Restarts:
    """The deaths of one child: each in a row is answered later, and the sixth not at all."""

    deaths: int = 0

    def pause_after(self, lived: float) -> float | None:
        """Seconds to wait after a life of ``lived`` seconds; None: it cannot be kept alive."""
        if lived >= STABLE_SECONDS:
            self.deaths = 0
        self.deaths += 1
        return _PAUSES[self.deaths - 1] if self.deaths <= len(_PAUSES) else None
