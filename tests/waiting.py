"""Waiting for what another process or thread brings about: for a condition, never for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T | None], seconds: float = 20, *, pause: float = 0.02) -> T:
    """What ``condition`` gives once it is true. After ``seconds`` it fails, and shows what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"Still {found!r} after {seconds} s."
        time.sleep(pause)
    return found
