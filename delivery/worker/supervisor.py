"""The supervisor: a small process that starts the clusters and restarts a cluster that ends."""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from types import FrameType

from django.utils import timezone

from delivery.backoff import doubled
from delivery.worker.child import start_module
from delivery.worker.companion import Companions
from delivery.worker.night import Night

logger = logging.getLogger("delivery")

_LOOK_SECONDS = 0.2
_STOP_SECONDS = 9.0
_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_STABLE_SECONDS = 30.0


@dataclass
class _Cluster:
    """A cluster. It is restarted when it ends, after a pause that doubles while it keeps ending."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = 0.0
    quick_ends: int = 0
    """The number of ends in a row before it was stable."""

    def look(self, now: float) -> None:
        """Start the cluster if it is down and its pause is over."""
        if self.process is not None and self.process.poll() is not None:
            self._ended(self.process.returncode, now)
        if self.process is None and now >= self.start_at:
            self._start(now)

    def _start(self, now: float) -> None:
        name = f"{socket.gethostname()}:{self.number}"
        self.process = start_module("delivery.worker", DELIVERY_WORKER=name)
        self.started = now

    def _ended(self, code: int, now: float) -> None:
        logger.warning(
            "A cluster ended; it is restarted",
            extra={"action": "cluster_restarted", "cluster": self.number, "exit_code": code},
        )
        self.process = None
        if now - self.started > _STABLE_SECONDS:
            self.quick_ends = 0
        self.start_at = now + doubled(_SHORTEST_PAUSE, self.quick_ends, longest=_LONGEST_PAUSE)
        self.quick_ends += 1


@dataclass
class Supervisor:
    """Runs ``clusters`` clusters until :meth:`stop`."""

    clusters: int
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        running = [_Cluster(number) for number in range(self.clusters)]
        night, companions = Night(), Companions()
        while not self._stop.is_set():
            for cluster in running:
                cluster.look(time.monotonic())
            night.look(timezone.now())
            companions.look(time.monotonic())
            self._stop.wait(_LOOK_SECONDS)
        children = [*(cluster.process for cluster in running), night.process]
        started = [process for process in children if process is not None]
        self._end([*started, *companions.processes()])

    def stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """End :meth:`run`. Has the signature of a handler for ``signal.signal``."""
        self._stop.set()

    def _end(self, processes: list[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + _STOP_SECONDS
        for process in processes:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                # The messages it held return to the queue when their leases expire.
                process.kill()
                process.wait()
