"""A django-q2 cluster that ends as a whole when one of its processes is killed.

A stock cluster stays up but often does no work after that: an idle worker that is killed dies
holding the lock of the queue that all workers share. Here the whole cluster ends with exit code 70,
and the supervisor restarts it. Messages that it had claimed return by their leases.
"""

from __future__ import annotations

import os
from typing import Any

from django_q import cluster as django_q
from django_q.conf import Conf

from delivery.worker import drain_task, parent_death

EXIT_CHILD_LOST = 70
_RECYCLED = -2


class SafeSentinel(django_q.Sentinel):  # type: ignore[misc]  # django-q2 is untyped
    def __init__(self, stop_event: Any, *arguments: Any, **options: Any) -> None:
        drain_task.follow(stop_event)
        super().__init__(stop_event, *arguments, **options)

    def reincarnate(self, process: Any) -> None:
        if process in self.pool and int(process.timer.value) == _RECYCLED:
            super().reincarnate(process)
            return
        django_q.logger.warning(
            "The cluster lost a process; the whole cluster restarts",
            extra={"action": "cluster_lost_process"},
        )
        # Its child processes die with this process (parent_death).
        os._exit(EXIT_CHILD_LOST)


def run() -> int:
    """Run one cluster of one worker until TERM or INT. Return its exit code."""
    _configure()
    parent_death.bind_forks()
    django_q.Sentinel = SafeSentinel
    cluster = django_q.Cluster()
    cluster.start()
    sentinel = cluster.sentinel
    sentinel.join()
    return 0 if cluster.stop_event is None else sentinel.exitcode or EXIT_CHILD_LOST


def _configure() -> None:
    """Override ``Q_CLUSTER`` with the options that the design depends on."""
    Conf.BROKER_CLASS = "delivery.worker.broker.HintBroker"
    Conf.WORKERS = 1
    Conf.QUEUE_LIMIT = 1
    Conf.TIMEOUT = 60
    Conf.SAVE_LIMIT = -1
    Conf.RECYCLE = 10_000
    Conf.SCHEDULER = False
    Conf.SYNC = False
