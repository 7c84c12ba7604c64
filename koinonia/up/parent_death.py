from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if os.uname().sysname == "Linux" else None


def die_with_parent() -> None:
    """For ``preexec_fn``: the kernel kills this child when its parent is gone (Linux only)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def dies_with_us() -> Callable[[], None]:
    """As ``die_with_parent``, also where we are gone before the child has asked for it."""
    parent = os.getpid()

    def ask() -> None:
        die_with_parent()
        if os.getppid() != parent:
            os._exit(1)

    return ask
