"""Gauges of the whole installation, read from the database at each scrape.

Every process would give the same numbers, so they have a query of their own, ``/metrics?installation``:
Prometheus asks one or two web processes for it, and a sum over the processes counts nothing twice. No
statement reads the texts or the history (docs/decisions/0059).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from delivery.limits import breaker, holds, spend
from delivery.models import BreakerState, WebhookEvent
from delivery.providers import registry
from delivery.status_report import oldest_due, queue
from delivery.statuses import DEAD_LETTERS, UNFINISHED
from delivery.tallies.reading import by_day
from koinonia.webhooks.lag import lag
from realtime.models import WebProcess
from realtime.socket_counts import DEAD_AFTER_SECONDS

_DAY = timedelta(hours=24)


class InstallationCollector(Collector):
    """The queue, the accounts, the webhooks that wait, the sockets and the schema."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield _depth()
        yield _seconds(
            "koinonia_oldest_due_seconds",
            "Seconds that the oldest due message has waited; 0 when no message is due.",
            oldest_due(now),
            now,
        )
        yield _texts_of_a_day(now)
        yield from _accounts(now)
        yield _value(
            "koinonia_capped_churches",
            "Churches with texts that wait for the daily cap.",
            len(spend.waiting(now)),
        )
        yield _seconds(
            "koinonia_oldest_webhook_seconds",
            "Seconds that the oldest due webhook event has waited; 0 when none is due.",
            WebhookEvent.objects.due(now)
            .order_by("due_at")
            .values_list("due_at", flat=True)
            .first(),
            now,
        )
        yield from _outgoing(now)
        yield from _sockets(now)
        yield _value(
            "koinonia_migrations_pending",
            "Migrations of this release that wait for `manage.py migrate`.",
            _pending_migrations(),
        )


def _depth() -> Metric:
    found = queue()
    return _by_label(
        "koinonia_messages",
        "Messages that wait for us or for a person.",
        "status",
        {status.value: found[status.value] for status in sorted(UNFINISHED | DEAD_LETTERS)},
    )


def _texts_of_a_day(now: datetime) -> Metric:
    sums: Counter[str] = Counter({"sent": 0, "delivered": 0, "failed": 0, "dead": 0})
    for counts in by_day(now - _DAY, UTC).values():
        sums.update(counts)
    return _by_label(
        "koinonia_texts_of_a_day",
        "Texts created in the last 24 hours (in quarters of an hour), by present outcome.",
        "outcome",
        sums,
    )


def _accounts(now: datetime) -> Iterator[Metric]:
    state = GaugeMetricFamily(
        "koinonia_breaker_state",
        "1 for the present state of the breaker of a provider account, else 0.",
        labels=["provider", "state"],
    )
    held = GaugeMetricFamily(
        "koinonia_account_held", "1 while the provider account is held.", labels=["provider"]
    )
    for account in registry.accounts():
        present = breaker.current(account, now).state
        for each in BreakerState:
            state.add_metric([account.alias, each.value], each == present)
        held.add_metric([account.alias], holds.current(account, now) is not None)
    yield state
    yield held


def _outgoing(now: datetime) -> Iterator[Metric]:
    found = lag(now)
    yield _by_label(
        "koinonia_outgoing_webhooks",
        "Webhooks of churches: working, failing (on, and refused recently), or off by reason.",
        "state",
        {
            "working": found.working,
            "failing": found.failing,
            "off_by_owner": found.off["owner"],
            "off_gone": found.off["gone"],
            "off_failed": found.off["failing"],
        },
    )
    yield _value(
        "koinonia_outgoing_waiting_events",
        "Events that wait for webhooks that are on, counted up to a bound.",
        found.waiting,
    )
    yield _seconds(
        "koinonia_outgoing_oldest_seconds",
        "Age of the oldest event that waits for a webhook that is on, also while its receiver fails.",
        found.oldest,
        now,
    )
    yield _seconds(
        "koinonia_outgoing_late_seconds",
        "Seconds for which a worker could have sent a webhook and has not; 0 when none is late.",
        found.late_since,
        now,
    )


def _sockets(now: datetime) -> Iterator[Metric]:
    alive = WebProcess.objects.filter(seen_at__gt=now - timedelta(seconds=DEAD_AFTER_SECONDS))
    users: set[str] = set()
    sockets = 0
    for counts in alive.values_list("sockets", flat=True):
        users.update(counts)
        sockets += sum(counts.values())
    yield _value("koinonia_users_on_sockets", "Users with an open socket, each once.", len(users))
    yield _value("koinonia_sockets", "Open sockets of all web processes.", sockets)


_all_applied = False


def _pending_migrations() -> int:
    """Return how many wait; once none does, that stays true while the process lives."""
    global _all_applied
    if _all_applied:
        return 0
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    _all_applied = waiting == 0
    return waiting


def _seconds(name: str, text: str, since: datetime | None, now: datetime) -> Metric:
    return _value(name, text, max(0.0, (now - since).total_seconds()) if since else 0)


def _value(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _by_label(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        gauge.add_metric([key], value)
    return gauge
