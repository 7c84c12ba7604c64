"""Waiting for a condition that another process or thread causes, without fixed delays."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T | None], seconds: float = 60, *, pause: float = 0.02) -> T:
    """Return the first true value of ``condition``; after ``seconds``, fail with its last value."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"Still {found!r} after {seconds} s."
        time.sleep(pause)
    return found
