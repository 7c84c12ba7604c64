"""Whether the worker of this cluster went home with calls in the air: its pusher sends it back."""

from __future__ import annotations

import ctypes
from multiprocessing.sharedctypes import RawValue

# Made before the cluster forks, and shared by its processes. Without a lock, which a process that is
# killed might hold.
_unfinished = RawValue(ctypes.c_bool, False)


def tell(unfinished: bool) -> None:
    _unfinished.value = unfinished


def is_told() -> bool:
    return bool(_unfinished.value)
