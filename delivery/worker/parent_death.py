"""No process of the worker outlives its parent, however that one ended."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if os.uname().sysname == "Linux" else None
_parent = 0


def die_with_parent() -> None:
    """For ``preexec_fn``: the kernel kills this child when its parent is gone (Linux only)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def bind_forks() -> None:
    """From now on each process that this one, or a child of it, forks dies with its parent."""
    os.register_at_fork(before=_remember, after_in_child=_bind)


def _remember() -> None:
    global _parent
    _parent = os.getpid()


def _bind() -> None:
    die_with_parent()
    # It may have died between the fork and the line above.
    if os.getppid() != _parent:
        os._exit(1)
