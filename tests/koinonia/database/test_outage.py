from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from psycopg_pool import PoolTimeout
from rest_framework.test import APIClient

from koinonia.database import outage
from koinonia.database.outage import Outage, OutageLog, outage_of


def caused_by(kind: type[Exception], cause: BaseException) -> Exception:
    error = kind(str(cause))
    error.__cause__ = cause
    return error


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("of SQLite")
    error.sqlite_errorcode = code
    return error


AWAY = caused_by(OperationalError, psycopg.OperationalError("connection to 10.1.2.3 failed"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (AWAY, Outage.AWAY),
        (caused_by(OperationalError, PoolTimeout("no connection after 3 s")), Outage.AWAY),
        (caused_by(OperationalError, psycopg.errors.AdminShutdown("57P01")), Outage.AWAY),
        (caused_by(OperationalError, psycopg.errors.CannotConnectNow("57P03")), Outage.AWAY),
        (caused_by(OperationalError, psycopg.errors.ConnectionFailure("08006")), Outage.AWAY),
        (caused_by(OperationalError, psycopg.errors.DiskFull("53100")), Outage.FULL),
        (caused_by(OperationalError, psycopg.errors.QueryCanceled("57014")), Outage.BUSY),
        (
            caused_by(OperationalError, psycopg.errors.ReadOnlySqlTransaction("25006")),
            Outage.READ_ONLY,
        ),
        (InterfaceError("connection already closed"), Outage.AWAY),
        (caused_by(OperationalError, sqlite_error(sqlite3.SQLITE_FULL)), Outage.FULL),
        (caused_by(OperationalError, sqlite_error(sqlite3.SQLITE_IOERR_WRITE)), Outage.AWAY),
        (caused_by(OperationalError, sqlite_error(sqlite3.SQLITE_ERROR)), None),
        (caused_by(OperationalError, psycopg.errors.DeadlockDetected("40P01")), None),
        (caused_by(ProgrammingError, psycopg.errors.UndefinedTable("42P01")), None),
        (caused_by(IntegrityError, psycopg.errors.UniqueViolation("23505")), None),
        (OperationalError("of a test"), None),
        (InterfaceError("cursor already closed"), None),
        (RuntimeError("connection"), None),
        (None, None),
    ],
    ids=repr,
)
def test_an_outage_is_known_by_its_error(
    error: BaseException | None, expected: Outage | None
) -> None:
    assert outage_of(error) is expected


def test_an_outage_has_a_line_at_its_beginning_each_minute_and_at_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    log = OutageLog(lambda: now[0])
    for second in range(90):
        now[0] = float(second)
        log.note(Outage.AWAY, AWAY)
    log.connected()
    log.connected()
    assert [(one.levelname, getattr(one, "action", "")) for one in caplog.records] == [
        ("ERROR", "database_away"), ("WARNING", "database_still_away"), ("WARNING", "database_back"),
    ]  # fmt: skip
    assert getattr(caplog.records[-1], "failures", 0) == 90


@pytest.mark.parametrize("state", [Outage.FULL, Outage.READ_ONLY, Outage.BUSY])
def test_a_connection_alone_does_not_end_an_outage_of_writes(state: Outage) -> None:
    now = [0.0]
    log = OutageLog(lambda: now[0])
    log.note(state, AWAY)
    log.connected()
    found = [log.recent]
    now[0] = 11.0
    found.append(log.recent)
    log.connected()
    log.note(state, AWAY)
    found.append(log.recent)
    assert found == [state, None, state]


@pytest.fixture
def fresh_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "log", OutageLog())


def _raise(*_: Any, **__: Any) -> Any:
    raise AWAY


@pytest.fixture
def signed_in(grace_owner: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_login(grace_owner)
    return client


def test_the_api_answers_an_outage_with_503_and_one_line(
    signed_in: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    fresh_log: None,
) -> None:  # fmt: skip
    monkeypatch.setattr("koinonia.api.views.messages.MessagesView.get", _raise)
    with caplog.at_level(logging.WARNING):
        answers = [signed_in.get("/api/v1/churches/grace/messages/") for _ in range(5)]
    for answer in answers:
        assert answer.status_code == 503
        assert answer["Content-Type"] == "application/problem+json"
        assert (answer["Retry-After"], answer["Cache-Control"]) == ("5", "no-store")
        assert answer.json()["title"] == "Service Unavailable"
        assert "10.1.2.3" not in answer.content.decode()
    assert [getattr(one, "action", one.getMessage()) for one in caplog.records] == ["database_away"]
    assert caplog.records[0].exc_info is None


def failing(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Return a middleware that finds the database away."""
    return _raise


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/", "text/html; charset=utf-8"), ("/api/v1/me/", "application/problem+json")],
)
def test_an_outage_outside_the_views_is_503(
    settings: Any, path: str, content_type: str, caplog: pytest.LogCaptureFixture, fresh_log: None
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.failing"]
    answer = Client(raise_request_exception=False).get(path)
    assert (answer.status_code, answer["Content-Type"]) == (503, content_type)
    assert (answer["Retry-After"], answer["Cache-Control"]) == ("5", "no-store")
    assert [getattr(one, "action", one.getMessage()) for one in caplog.records] == ["database_away"]
