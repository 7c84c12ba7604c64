"""How many frames one socket may send: a person's rate, with a burst for a page that subscribes again."""

from __future__ import annotations

from realtime import conf


class Allowance:
    """A token bucket of one socket. ``now`` is in seconds, of any clock that only goes forward."""

    def __init__(self, now: float) -> None:
        self._per_second = conf.frames_per_second()
        self._most = float(conf.frames_burst())
        self._left = self._most
        self._at = now

    def take(self, now: float) -> bool:
        """Return whether one more frame is allowed now."""
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
