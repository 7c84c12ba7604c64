"""One django-q2 cluster that ends as a whole when one of its processes is killed.

A stock cluster goes on, and often for ever without doing anything: an idle worker that is killed
dies holding the lock of the queue that all of them share. Here the whole cluster ends with exit
code 70 and is started anew; what it had claimed comes back by its lease.
"""

from __future__ import annotations

import os
from typing import Any

from django_q import cluster as django_q
from django_q.conf import Conf

from delivery.worker import parent_death, stopping

EXIT_CHILD_LOST = 70
_RECYCLED = -2


class SafeSentinel(django_q.Sentinel):  # type: ignore[misc]  # django-q2 is untyped
    def __init__(self, stop_event: Any, *arguments: Any, **options: Any) -> None:
        stopping.follow(stop_event)
        super().__init__(stop_event, *arguments, **options)

    def reincarnate(self, process: Any) -> None:
        if process in self.pool and int(process.timer.value) == _RECYCLED:
            super().reincarnate(process)
            return
        django_q.logger.critical("A process of the cluster was lost: the cluster starts anew")
        # The others die with this process (parent_death).
        os._exit(EXIT_CHILD_LOST)


def run() -> int:
    """Run one cluster of one worker until TERM or INT; its exit code."""
    _configure()
    parent_death.bind_forks()
    django_q.Sentinel = SafeSentinel
    cluster = django_q.Cluster()
    cluster.start()
    sentinel = cluster.sentinel
    sentinel.join()
    return 0 if cluster.stop_event is None else sentinel.exitcode or EXIT_CHILD_LOST


def _configure() -> None:
    """What the design rests on, whatever Q_CLUSTER says."""
    Conf.BROKER_CLASS = "delivery.worker.broker.HintBroker"
    Conf.WORKERS = 1
    Conf.QUEUE_LIMIT = 1
    Conf.TIMEOUT = 60
    Conf.SAVE_LIMIT = -1
    Conf.RECYCLE = 10_000
    Conf.SCHEDULER = False
    Conf.SYNC = False
