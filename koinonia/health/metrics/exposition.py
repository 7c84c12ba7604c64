"""The text that Prometheus reads: of this process or its group, or of the installation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from delivery.webhooks.storage import spooled
from koinonia.health.metrics import database_pool, ended_processes, process_group
from koinonia.health.metrics.installation import InstallationCollector
from koinonia.health.metrics.process_tree import ProcessTree

CONTENT_TYPE = CONTENT_TYPE_LATEST


class ProcessCollector(Collector):
    """What this process is, and what waits in the spool of its machine."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        release = GaugeMetricFamily(
            "koinonia_process", "1: web or worker, and its release.", labels=["kind", "release"]
        )
        release.add_metric([self._kind, settings.HTTPOPT["RELEASE"][:12]], 1)
        yield release
        if self._kind == "web" and (waiting := spooled()) is not None:
            yield GaugeMetricFamily(
                "koinonia_spooled_webhooks",
                "Webhooks on the disk of this machine, which wait for the database.",
                value=waiting.events,
            )


def of_web() -> bytes:
    """Return the metrics of this web process, or of all workers of its uvicorn."""
    database_pool.refresh()
    folder = process_group.directory()
    if folder is None:
        return generate_latest(REGISTRY) + generate_latest(_with(ProcessCollector("web")))
    return _of_group(ProcessCollector("web"), ProcessTree(os.getppid()))


def of_worker() -> bytes:
    """Return the metrics of all clusters of the worker whose supervisor this process is."""
    return _of_group(ProcessCollector("worker"), ProcessTree(os.getpid()))


def of_installation() -> bytes:
    """Return the metrics that are read from the database: the same from each process."""
    return generate_latest(_with(InstallationCollector()))


def _of_group(*collectors: Collector) -> bytes:
    registry = _with(*collectors)
    folder = process_group.directory()
    if folder is None:
        return generate_latest(registry)
    MultiProcessCollector(registry, path=str(folder))
    with process_group.locked(folder):
        ended_processes.fold(folder)
        return generate_latest(registry)


def _with(*collectors: Collector) -> CollectorRegistry:
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return registry
