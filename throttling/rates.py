"""Rates: ``count/[n]period[:burst]``.

This module does not import Django, so that an environment can be checked before settings exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_FORM = re.compile(r"(\d+)/(\d*)(s|m|h|d)(?::(\d+))?")
_PERIOD_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

# The script adds two capacities in doubles; doubles are exact below 2**53.
LARGEST_CAPACITY = 2**52


class InvalidRateError(ValueError):
    """A text or a number that is not a rate."""


@dataclass(frozen=True)
class Rate:
    """A refill of ``count`` tokens per ``period_ms``, up to ``burst`` tokens."""

    count: int
    period_ms: int
    burst: int

    def __post_init__(self) -> None:
        if min(self.count, self.period_ms, self.burst) < 1:
            raise InvalidRateError(f"Count, period and burst of {self} must be at least 1.")
        if self.capacity > LARGEST_CAPACITY:
            raise InvalidRateError(
                f"Burst times period of {self} must not be above {LARGEST_CAPACITY} token "
                "milliseconds: larger numbers cannot be counted exactly."
            )

    @property
    def capacity(self) -> int:
        """Return the size of a full bucket in token milliseconds; ``period_ms`` of them are a token."""
        return self.burst * self.period_ms

    @property
    def period_seconds(self) -> int:
        return self.period_ms // 1_000

    @cached_property
    def arguments(self) -> tuple[bytes, bytes, bytes]:
        """Return the arguments of the Lua script, encoded once."""
        return b"%d" % self.count, b"%d" % self.period_ms, b"%d" % self.burst

    def shared_by(self, processes: int) -> Rate:
        """Return the share of one process when each of ``processes`` counts alone."""
        return Rate(
            max(1, self.count // processes), self.period_ms, max(1, self.burst // processes)
        )

    def __str__(self) -> str:
        for letter, length in reversed(_PERIOD_MS.items()):
            if self.period_ms % length == 0:
                times = self.period_ms // length
                period = f"{times if times > 1 else ''}{letter}"
                break
        else:
            period = f"{self.period_ms}ms"
        burst = "" if self.burst == self.count else f":{self.burst}"
        return f"{self.count}/{period}{burst}"


def parse(text: object) -> Rate:
    """Parse ``100/m``, ``1000/m:200`` or ``5/15m``; the burst defaults to the count.

    Raises InvalidRateError with a message that names the mistake.
    """
    # Settings are not typed: report a number like any other mistake.
    match = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise InvalidRateError(
            f"{text!r} is not a rate; write count/[n]period[:burst], such as '100/m', "
            "'1000/m:200' or '5/15m' (periods: s, m, h, d)."
        )
    count, times, letter, burst = match.groups()
    return Rate(int(count), int(times or 1) * _PERIOD_MS[letter], int(burst or count))
