"""The work of the night: one worker of many does the host's ``NIGHTLY`` once after each ``NIGHTLY_HOUR``.

A row holds the lease and the time of the last night that ended well, so a missed night is made up for.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import Q, QuerySet
from django.utils import timezone

from delivery import conf
from delivery.models import NightlyRun

logger = logging.getLogger("delivery")

EXIT_BUSY = 75
"""The exit code while another worker holds the lease."""
EXIT_FAILED = 1
_LEASE = timedelta(minutes=15)
_NAME = "nightly"


@dataclass
class Lease:
    """The right of one process to do the work of this night."""

    worker: str
    until: datetime

    def holds(self, now: datetime) -> bool:
        """Renew the lease if half of it is over. Return False if another worker has it by now."""
        if now < self.until - _LEASE / 2:
            return True
        self.until = now + _LEASE
        return bool(_row().filter(worker=self.worker).update(lease_until=self.until))

    def end(self, *, done_at: datetime | None = None) -> None:
        """Release the lease. ``done_at``: the night's work that began then is done."""
        done = {} if done_at is None else {"done_at": done_at}
        _row().filter(worker=self.worker).update(lease_until=None, **done)


def last_begin(now: datetime) -> datetime | None:
    """Return the last begin of a night's work up to ``now``; None: never."""
    hour = conf.nightly_hour()
    if hour is None:
        return None
    local = now.astimezone(conf.nightly_zone())
    begin = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return begin if begin <= local else begin - timedelta(days=1)


def next_begin(now: datetime) -> datetime | None:
    """Return the next begin of a night's work; None: never."""
    last = last_begin(now)
    return None if last is None else last + timedelta(days=1)


def is_due(now: datetime) -> bool:
    """Return whether the work of the last night was not done. The first look begins with the next night."""
    begin = last_begin(now)
    run, _ = NightlyRun.objects.get_or_create(name=_NAME, defaults={"done_at": now})
    return begin is not None and run.done_at < begin


def take(now: datetime) -> Lease | None:
    """Take the lease; return None if another worker has it."""
    worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"[-100:]
    lease = Lease(worker, now + _LEASE)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    begin = last_begin(now)
    taken = _row().filter(free, done_at__lt=begin).update(worker=worker, lease_until=lease.until)
    return lease if taken else None


def run(stopped: Callable[[], bool]) -> int:
    """Do the work if it is due. Return an exit code."""
    work, now, began = conf.nightly(), timezone.now(), time.monotonic()
    try:
        if work is None or not is_due(now):
            return 0
        lease = take(now)
        if lease is None:
            return EXIT_BUSY
        logger.info("The work of the night begins", extra={"action": "nightly_begun"})
        work(lambda: stopped() or not lease.holds(timezone.now()))
        ended = stopped()
        lease.end(done_at=None if ended else now)
    except (DatabaseError, OSError) as error:
        # The next try takes the lease when it has expired. The text may quote a row: leave it out.
        # The database comes back. A full disk or refused rows stay until a person acts.
        away = isinstance(error, (OperationalError, InterfaceError))
        logger.log(
            logging.WARNING if away else logging.ERROR,
            "The work of the night failed",
            extra={"action": "nightly_failed", "error": type(error).__name__},
        )
        return EXIT_FAILED
    logger.info(
        "The work of the night was stopped" if ended else "The work of the night is done",
        extra={
            "action": "nightly_stopped" if ended else "nightly_done",
            "seconds": round(time.monotonic() - began, 1),
        },
    )
    return EXIT_BUSY if ended else 0


def _row() -> QuerySet[NightlyRun]:
    return NightlyRun.objects.filter(name=_NAME)
