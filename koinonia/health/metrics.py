"""Prometheus gauges that are read from the database at each scrape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from delivery.status_report import oldest_due, queue
from delivery.statuses import DEAD_LETTERS, UNFINISHED


class QueueCollector(Collector):
    """The length of the queue, and how long the oldest due message has waited."""

    def describe(self) -> Iterable[Metric]:
        return []  # Registration would otherwise collect once, before the database exists.

    def collect(self) -> Iterator[Metric]:
        yield _depth()
        yield _oldest_due(timezone.now())


def _depth() -> Metric:
    statuses = sorted(UNFINISHED | DEAD_LETTERS)
    found = queue()
    gauge = GaugeMetricFamily(
        "koinonia_messages", "Messages that wait for us or for a person.", labels=["status"]
    )
    for status in statuses:
        gauge.add_metric([status.value], found[status.value])
    return gauge


def _oldest_due(now: datetime) -> Metric:
    oldest = oldest_due(now)
    return GaugeMetricFamily(
        "koinonia_oldest_due_seconds",
        "Seconds that the oldest due message has waited; 0 when no message is due.",
        value=(now - oldest).total_seconds() if oldest else 0,
    )


def register() -> None:
    """Register the gauges. prometheus_client registers gauges of the process."""
    REGISTRY.register(QueueCollector())
