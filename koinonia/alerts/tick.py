"""The tick of a worker's clock: one process of many judges and sends the notices.

It runs in a separate thread: a mail server that hangs must not hold up texts.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from delivery.process import PerProcess
from koinonia.alerts import channels
from koinonia.alerts.judge import judge, take_turn
from koinonia.config.alert_rules import Alerts

logger = logging.getLogger(__name__)


@dataclass
class _Ticker:
    next_at: datetime | None = None
    thread: Thread | None = None

    def tick(self, now: datetime) -> None:
        rules: Alerts = settings.ALERTS
        is_due = self.next_at is None or now >= self.next_at
        if not is_due or (self.thread is not None and self.thread.is_alive()):
            return
        self.next_at = now + timedelta(seconds=rules.every_seconds)
        self.thread = Thread(target=_run_and_close, name="koinonia-alerts", daemon=True)
        self.thread.start()


_ticker = PerProcess(_Ticker)


def on_overseen(now: datetime) -> None:
    """Judge in a thread, if it is time and the settings name a channel."""
    if settings.ALERTS.are_told:
        _ticker.get().tick(now)


def run(now: datetime) -> int:
    """Judge and send, unless another process has just done so. Return the number of notices sent."""
    rules: Alerts = settings.ALERTS
    if not take_turn(rules, now):
        return 0
    judge(rules, now)
    return channels.send_due(rules, now)


def _run_and_close() -> None:
    try:
        run(timezone.now())
    except DatabaseError as error:
        # The database has its own watchers. The text may quote a row.
        logger.warning(
            "Alerts could not be judged",
            extra={"action": "alerts_not_judged", "error": type(error).__name__},
        )
    finally:
        connections.close_all()
