"""The one task that django-q2's worker runs, and the two flags that its cluster's processes share."""

from __future__ import annotations

import ctypes
import logging
import time
import traceback
from multiprocessing.sharedctypes import RawValue
from multiprocessing.util import Finalize
from typing import Protocol

from django.db import InterfaceError, OperationalError, connections

from delivery.process import PerProcess
from delivery.sending import drain as sending
from delivery.signals import drains_begin

logger = logging.getLogger("delivery")

TASK = "delivery.worker.drain_task.drain"
_PAUSE_AFTER_ERROR_SECONDS = 0.5


class StopEvent(Protocol):
    def is_set(self) -> bool: ...


_stop_event: StopEvent | None = None

# Made before the cluster forks, and shared by its processes. Without a lock: a process that is
# killed while it holds a lock would block the cluster.
_in_flight = RawValue(ctypes.c_bool, False)


def follow(stop_event: StopEvent) -> None:
    """Take the cluster's stop event; processes forked later inherit the reference."""
    global _stop_event
    _stop_event = stop_event


def stop_requested() -> bool:
    """Return True once the cluster stops: a drain then ends before its time budget."""
    return _stop_event is not None and _stop_event.is_set()


def set_in_flight(in_flight: bool) -> None:
    """Set whether the last drain ended with requests in flight."""
    _in_flight.value = in_flight


def is_in_flight() -> bool:
    """Return True if the last drain ended with requests in flight: the broker starts another at once."""
    return bool(_in_flight.value)


def drain() -> None:
    """Run one drain. Log an error and return: the rows are still in the database."""
    _begun.get()
    try:
        sending.drain(stop_requested)
    except Exception as error:
        # Leave out the error's text: a database error quotes the row, including the phone number.
        frames = traceback.format_list(traceback.extract_tb(error.__traceback__)[-3:])
        # The database comes back; any other error is a bug.
        away = isinstance(error, (OperationalError, InterfaceError))
        logger.log(
            logging.WARNING if away else logging.ERROR,
            "A drain failed: %s\n%s",
            type(error).__name__,
            "".join(frames),
            extra={"action": "drain_failed"},
        )
        connections.close_all()
        time.sleep(_PAUSE_AFTER_ERROR_SECONDS)
    finally:
        set_in_flight(sending.unfinished())


def _finish() -> None:
    try:
        sending.finish_in_flight()
    finally:
        set_in_flight(False)


def _begin() -> None:
    Finalize(None, _finish, exitpriority=100)
    drains_begin.send_robust(sender=None)


# django-q2 replaces its worker process from time to time, between two drains.
_begun = PerProcess(_begin)
