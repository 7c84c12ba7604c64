from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from koinonia.health import parts
from koinonia.models import Church

PROXY = {"REMOTE_ADDR": "10.0.0.1"}


def test_a_process_that_lives_says_so(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_it_is_ready_when_every_part_is(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "parts": dict.fromkeys(parts.PARTS, "ok")}


@pytest.mark.django_db
def test_a_part_that_is_away_is_named_without_its_secrets(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("password authentication failed for user koinonia at 10.1.2.3")

    monkeypatch.setitem(parts.PARTS, "database", away)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {
        **dict.fromkeys(parts.PARTS, "ok"),
        "database": "not reachable (OperationalError)",
    }


@pytest.mark.django_db
def test_a_migration_that_waits_is_said(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "koinonia.health.parts.MigrationExecutor.migration_plan", lambda *_: [("one", False)]
    )
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "manage.py migrate" in answer.json()["parts"]["migrations"]


def test_metrics_show_the_queue(client: Client, grace: Church) -> None:
    text = client.get("/metrics").content.decode()
    assert 'koinonia_messages{status="queued"} 0.0' in text
    assert "koinonia_oldest_due_seconds 0.0" in text
    assert "process_resident_memory_bytes" in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("meta", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "203.0.113.5"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.5"}, 403),
        ({"REMOTE_ADDR": ""}, 403),
        ({**PROXY, "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 200),
        ({**PROXY, "HTTP_X_FORWARDED_FOR": "203.0.113.5"}, 403),
        (PROXY, 403),
    ],
)
def test_metrics_are_for_the_addresses_that_may(
    settings: Settings, meta: dict[str, Any], status: int
) -> None:
    settings.THROTTLING = {**settings.THROTTLING, "TRUSTED_PROXIES": ["10.0.0.0/8"]}
    assert Client(**meta).get("/metrics").status_code == status
