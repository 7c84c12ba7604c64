"""Webhooks while the database is away or does not answer, with a spool."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from delivery.models import WebhookEvent
from delivery.webhooks import event_rows, storage, writer
from delivery.webhooks.asgi import WebhookIntake
from delivery.webhooks.storage import Storage
from delivery.webhooks.store import GroupedStore, Rows
from koinonia.health import readiness
from tests.delivery.webhooks import signing
from tests.delivery.webhooks.shells import Answer, ApplicationShell
from tests.delivery.webhooks.test_application import behind, post
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Database:
    """A database that a test takes away, or makes hang."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.away = False
        self.goes_on = threading.Event()
        self.goes_on.set()
        self._insert = event_rows.insert
        monkeypatch.setattr(event_rows, "insert", self.insert)
        monkeypatch.setattr(event_rows, "reach_database", self.reach)
        monkeypatch.setattr(writer, "IDLE_SECONDS", 0.05)
        ours = Storage()
        self.writer = writer.Writer(GroupedStore(ours.write), ours)
        monkeypatch.setattr(writer.writer, "get", lambda: self.writer)

    def reach(self) -> None:
        if self.away:
            raise OperationalError("The database is away.")

    def insert(self, rows: Rows) -> None:
        self.goes_on.wait(30)
        self.reach()
        self._insert(rows)


@pytest.fixture
def database(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> Iterator[Database]:
    settings.DELIVERY = {
        **settings.DELIVERY, "WEBHOOK_SPOOL": {"DIRECTORY": tmp_path / "spool", "BYTES": 5000},
    }  # fmt: skip
    made = Database(monkeypatch)
    yield made
    made.away = False
    made.goes_on.set()


def spooled() -> int:
    found = storage.spooled()
    assert found is not None
    return found.events


def stored() -> list[str]:
    return list(WebhookEvent.objects.order_by("id").values_list("event_id", flat=True))


def test_webhooks_of_an_outage_are_stored_in_order_when_it_is_over(database: Database) -> None:
    application = WebhookIntake(behind)
    database.away = True
    assert [post(application, number).status_code for number in range(3)] == [200] * 3
    assert (spooled(), stored()) == (3, [])
    database.away = False
    wait_until(lambda: stored() == ["e0", "e1", "e2"])
    wait_until(lambda: spooled() == 0)
    assert post(application, 3).status_code == 200
    assert stored() == ["e0", "e1", "e2", "e3"]


def test_a_process_stores_what_an_earlier_one_has_spooled(database: Database) -> None:
    database.away = True
    assert post(WebhookIntake(behind)).status_code == 200
    found = storage.storage.spool
    assert found is not None
    found.close()  # as at the end of a process
    database.away = False
    wait_until(lambda: stored() == ["e0"])


def test_an_untrusted_webhook_is_not_spooled(database: Database) -> None:
    database.away = True
    answer = ApplicationShell().post(b"{}", headers={})
    assert (answer.status_code, spooled()) == (400, 0)


def test_a_full_spool_is_503(database: Database) -> None:
    database.away = True
    application = WebhookIntake(behind)
    statuses = [post(application, number).status_code for number in range(10)]
    taken = statuses.count(200)
    assert 0 < taken < 10
    assert statuses == [200] * taken + [503] * (10 - taken)
    assert spooled() == taken


def test_a_database_that_hangs_is_bridged_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SPOOL_AFTER_SECONDS", 0.1)
    application = WebhookIntake(behind)
    database.goes_on.clear()
    answers: list[Answer] = [post(application, number) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert spooled() == 3
    database.goes_on.set()
    wait_until(lambda: sorted(stored()) == ["e0", "e1", "e2"])
    wait_until(lambda: spooled() == 0)


def test_readiness_counts_what_waits_on_disk(database: Database) -> None:
    database.away = True
    assert post(WebhookIntake(behind)).status_code == 200
    readiness.everything.forget()
    answer = Client().get("/readyz?full")
    readiness.everything.forget()
    assert answer.status_code == 200
    assert json.loads(answer.content)["status"] == "degraded"
    assert answer.json()["parts"]["spool"].startswith("degraded: 1 webhooks (")


def test_the_events_of_a_spool_have_the_time_of_their_arrival(database: Database) -> None:
    database.away = True
    body = signing.event("message.received", signing.inbound("in1", "STOP \U0001f34e"))
    assert ApplicationShell().post(body).status_code == 200
    database.away = False
    wait_until(lambda: WebhookEvent.objects.count() == 1)
    event = WebhookEvent.objects.get()
    assert event.payload == body["data"]
    assert event.due_at == event.received_at
