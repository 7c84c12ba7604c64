"""End a process together with its parent, even if the parent is killed (Linux only).

This module does not import Django: any supervisor can use it.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if os.uname().sysname == "Linux" else None
_parent = 0


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends; for ``preexec_fn``."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def die_with(parent: int) -> None:
    """Do as :func:`die_with_parent`, and exit now if ``parent`` has ended before this call."""
    die_with_parent()
    if os.getppid() != parent:
        os._exit(1)


def dies_with_us() -> Callable[[], None]:
    """Return a ``preexec_fn`` that calls :func:`die_with` for the process that is running now."""
    parent = os.getpid()
    return lambda: die_with(parent)


def bind_forks() -> None:
    """Make each process that this one, or a child of it, forks from now on die with its parent."""
    os.register_at_fork(before=_remember, after_in_child=lambda: die_with(_parent))


def _remember() -> None:
    global _parent
    _parent = os.getpid()
