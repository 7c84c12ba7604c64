"""The queue of the writers of one SQLite file: threads of this process first, then processes.

SQLite lets one connection write at a time. A writer that finds the file locked sleeps and looks again,
up to 100 ms later, and whoever looks first wins. Here it waits for a wake-up instead. SQLite's own
lock stays the only lock: if every wake-up were lost, writers would only look every 10 ms.

* A process sends one of its threads to SQLite at a time; the others wait until that thread's turn ends. Their
  lock keeps no order: in strict order, each turn would begin with a wait for the interpreter.
* After each transaction the writer puts a byte into a named pipe beside the file, which wakes the
  waiting threads of the other processes.
* A thread that has waited for 50 ms closes a gate (an flock on the pipe), and the other processes let it
  go first. The kernel opens the gate when a process is killed.
"""

from __future__ import annotations

import fcntl
import logging
import os
import select
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

SUFFIX = "-queue"
_LOOK_AGAIN_SECONDS = 0.01
"""A writer without this queue, such as the program sqlite3, wakes nobody."""
_PATIENCE_SECONDS = 0.05
"""Less would pass the turn on so often that the processes mostly wait for each other's threads."""
_GATE_SECONDS = 0.5
"""After this time a writer ignores the gate: the process that closed it may be stopped."""


def is_busy(error: BaseException) -> bool:
    """Return whether another connection is writing."""
    code: int = getattr(error.__cause__ or error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY


class Turn:
    """The right of a thread to write. It ends at the latest with the object."""

    def __init__(self, lock: threading.Lock, wake_others: Callable[[], None]) -> None:
        self._lock = lock
        self._wake_others = wake_others
        self._has_ended = False

    def end(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._lock.release()
            self._wake_others()

    def __del__(self) -> None:
        self.end()


class WriteQueue:
    """The queue for the file whose pipe is at ``path``."""

    def __init__(self, path: str) -> None:
        self._pipe = _open_pipe(path)
        self._wake_ups = select.poll()
        self._wake_ups.register(self._pipe, select.POLLIN)
        self._turn = threading.Lock()

    def start(self, write: Callable[[], T], seconds: float) -> tuple[Turn, T]:
        """Call ``write`` until SQLite is not busy; raise SQLite's error after ``seconds``.

        ``write`` must not wait for SQLite's lock. Other threads of this process wait until the
        turn that this returns has ended.
        """
        began = time.monotonic()
        turn = self._turn
        if not turn.acquire(timeout=seconds):
            raise _locked()
        try:
            result = self._try(write, began, began + seconds)
        except BaseException:
            turn.release()
            raise
        return Turn(turn, self.wake_others), result

    def wake_others(self) -> None:
        """Wake the waiting threads of the other processes."""
        try:
            os.write(self._pipe, b".")
        except OSError:
            pass  # The pipe is full of wake-ups, or this is a forked child that has closed it.

    def close(self) -> None:
        os.close(self._pipe)

    def _try(self, write: Callable[[], T], began: float, deadline: float) -> T:
        goes_first = False
        try:
            while True:
                waited = time.monotonic() - began
                if goes_first or waited > _GATE_SECONDS or self._gate_is_open():
                    try:
                        return write()
                    except Exception as error:
                        if not is_busy(error) or time.monotonic() >= deadline:
                            raise
                elif time.monotonic() >= deadline:
                    raise _locked()
                if waited > _PATIENCE_SECONDS and not goes_first:
                    goes_first = self._flock(fcntl.LOCK_EX)
                self._wait_for_a_wake_up(deadline)
        finally:
            if goes_first:
                fcntl.flock(self._pipe, fcntl.LOCK_UN)

    def _gate_is_open(self) -> bool:
        is_open = self._flock(fcntl.LOCK_SH)
        if is_open:
            fcntl.flock(self._pipe, fcntl.LOCK_UN)
        return is_open

    def _flock(self, kind: int) -> bool:
        try:
            fcntl.flock(self._pipe, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait_for_a_wake_up(self, deadline: float) -> None:
        seconds = min(_LOOK_AGAIN_SECONDS, max(0.0, deadline - time.monotonic()))
        if self._wake_ups.poll(seconds * 1000):
            try:
                os.read(self._pipe, 65_536)
            except BlockingIOError:
                pass  # Another process has read it, and writes now.


_queues: dict[str, WriteQueue | None] = {}
_queues_lock = threading.Lock()


def queue_of(file: str) -> WriteQueue | None:
    """Return this process's queue for a database file, or None where no pipe can be made."""
    if file not in _queues:
        with _queues_lock:
            if file not in _queues:
                _queues[file] = _make_queue(file)
    return _queues[file]


def _make_queue(file: str) -> WriteQueue | None:
    try:
        return WriteQueue(file + SUFFIX)
    except OSError as error:
        extra = {"action": "writers_do_not_queue"}
        logger.warning("Writers of %s do not queue: %s.", file, error.strerror, extra=extra)
        return None


def _open_pipe(path: str) -> int:
    try:
        os.mkfifo(path, 0o600)
    except FileExistsError:
        pass
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
        os.close(pipe)
        raise FileExistsError(0, f"{path} is not a named pipe")
    return pipe


def _locked() -> sqlite3.OperationalError:
    """Return the error that SQLite raises when it has waited long enough."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    error.sqlite_errorname = "SQLITE_BUSY"
    return error


def _forget_after_fork() -> None:
    """Give the child queues of its own: its locks may be held by threads that it does not have.

    Its copies of the pipes would keep the gate closed after the death of the parent.
    """
    global _queues_lock
    for queue in _queues.values():
        if queue is not None:
            queue.close()
    _queues.clear()
    _queues_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_after_fork)
