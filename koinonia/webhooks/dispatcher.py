"""The process that sends webhooks. One thread claims and settles, and many threads post.

An endpoint has one turn at a time, in at most ``LANES_EACH`` threads. Endpoints that fail or are slow
get one thread each, and together at most half of all threads, so that a dead receiver slows no other.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from delivery.outage import Outage
from koinonia.models import WebhookCursor
from koinonia.webhooks import notices
from koinonia.webhooks.claim import Claimed, claim, gather
from koinonia.webhooks.posting import Poster
from koinonia.webhooks.settle import settle
from koinonia.webhooks.turn import Turn

logger = logging.getLogger(__name__)

LANES = 128
LANES_EACH = 8
_SLOW_SECONDS = 2.0
"""An endpoint is slow if its posts take longer than this on average."""
_POLL_SECONDS = 0.25
_LOOK_SECONDS = 0.5
"""How often the claims of the open turns are looked at, to end the turns whose claim is lost."""
_NOTICE_SECONDS = 10.0
_AWAY_SECONDS = 1.0
_STOP_SECONDS = 8.0


class Dispatcher:
    """Sends until ``stopped()``. Only the thread of :meth:`run` uses the database."""

    def __init__(
        self, poster: Poster, stopped: Callable[[], bool],
        send_notices: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self._poster = poster
        self._stopped = stopped
        self._send = send_notices or _send_notices
        self._pool = ThreadPoolExecutor(LANES, thread_name_prefix="webhooks")
        self._ended: queue.SimpleQueue[Turn] = queue.SimpleQueue()
        self._running: dict[int, Turn] = {}
        self._slow: set[int] = set()
        self._lagging: set[int] = set()
        self._outage = Outage("webhooks wait")
        self._notices_at = self._look_at = 0.0
        self._mailing: Future[None] | None = None

    def run(self) -> None:
        while not self._stopped():
            self._step_through_outages()
        until = time.monotonic() + _STOP_SECONDS
        while self.is_busy and time.monotonic() < until:
            self._step_through_outages()
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def is_busy(self) -> bool:
        """Return whether the threads post a turn."""
        return bool(self._running)

    def step(self) -> None:
        """Settle the turns that have ended, claim others, and wait for a moment."""
        began = False if self._stopped() else self._claim()
        self._end_lost_turns()
        self._settle(None if began else self._wait())
        if not self._stopped() and time.monotonic() >= self._notices_at:
            self._notices_at = time.monotonic() + _NOTICE_SECONDS
            self._send_notices()

    def _step_through_outages(self) -> None:
        try:
            self.step()
        except (OperationalError, InterfaceError) as error:
            # The lease of the claim expires, and another worker sends the same events.
            self._outage.failed(error, time.monotonic())
            connection.close()
            time.sleep(_AWAY_SECONDS)
        else:
            self._outage.ended(time.monotonic())

    def _claim(self) -> bool:
        free = LANES - sum(turn.lanes for turn in self._running.values())
        most = free // LANES_EACH
        if most <= 0:
            return False
        may_lag = len(self._lagging) < LANES // 2
        without = set(self._running) if may_lag else self._running.keys() | self._slow
        now = timezone.now()
        claimed = claim(now, most, without=without, gated=may_lag)
        for one in claimed:
            try:
                turn = gather(one, now)
            except (KeyError, TypeError, ValueError):
                # A bug with one event must not stop the webhooks of others. The lease is its pause.
                logger.exception("A webhook cannot be read", extra={"action": "bug"})
            else:
                self._begin(one, turn)
        return bool(claimed)

    def _end_lost_turns(self) -> None:
        """End the turns whose webhook was switched off, changed or deleted: no further event goes out."""
        if not self._running or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_SECONDS
        rows = WebhookCursor.objects.filter(pk__in=list(self._running))
        held = dict(rows.values_list("pk", "lease_token"))
        for key, turn in self._running.items():
            if held.get(key) != turn.token:
                turn.give_up()

    def _begin(self, claimed: Claimed, turn: Turn) -> None:
        key = turn.endpoint.pk
        lags = claimed.cursor.failures > 0 or key in self._slow
        turn.begin(1 if lags else LANES_EACH)
        if not turn.items:
            settle(turn, timezone.now())
            return
        self._running[key] = turn
        if lags:
            self._lagging.add(key)
        for _ in range(turn.lanes):
            self._pool.submit(self._run_lane, turn)

    def _send_notices(self) -> None:
        """Send mails in another thread: a mail server may hang."""
        if self._mailing is None or self._mailing.done():
            self._mailing = self._pool.submit(self._send)

    def _run_lane(self, turn: Turn) -> None:
        try:
            is_last = turn.run_lane(self._poster, self._stopped)
        except Exception:
            # A bug must not occupy the threads of the turn. The lease ends the claim.
            logger.exception("A webhook could not be posted", extra={"action": "bug"})
            is_last = True
        if is_last:
            self._ended.put(turn)

    def _wait(self) -> Turn | None:
        try:
            return self._ended.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            return None

    def _settle(self, first: Turn | None) -> None:
        turn = first
        while turn is not None or not self._ended.empty():
            turn = turn or self._ended.get()
            self._free(turn)
            settle(turn, timezone.now())
            turn = None

    def _free(self, turn: Turn) -> None:
        key = turn.endpoint.pk
        if self._running.get(key) is turn:
            del self._running[key]
        self._lagging.discard(key)
        times = [item.seconds for item in turn.items if item.tried_at is not None]
        is_slow = bool(times) and sum(times) / len(times) > _SLOW_SECONDS
        self._slow = self._slow | {key} if is_slow else self._slow - {key}


def _send_notices() -> None:
    try:
        notices.send_due(timezone.now())
    except (OperationalError, InterfaceError):
        logger.warning("Mails wait for the database", extra={"action": "mail_not_sent"})
    finally:
        connection.close()
