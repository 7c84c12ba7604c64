"""An outage of the database without a spool: 503 for each webhook, and one line."""

from __future__ import annotations

import logging

import pytest
from django.db import DataError, OperationalError

from delivery.outage import Outage
from delivery.webhooks import event_rows, intake, storage
from delivery.webhooks.store import Rows
from tests.delivery.webhooks.shells import Shell
from tests.delivery.webhooks.signing import event, outbound


@pytest.fixture(autouse=True)
def _fresh_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Outage("webhooks are answered with 503")
    monkeypatch.setattr(storage, "outage", made)
    monkeypatch.setattr(intake, "outage", made)


def failing(error: Exception) -> object:
    def fail(rows: Rows) -> None:
        raise error

    return fail


def post(shell: Shell, number: int) -> int:
    body = event("message.sent", outbound(f"p-{number}", "sent"), id=f"e-{number}")
    return shell.post(body).status_code


def written(caplog: pytest.LogCaptureFixture) -> list[tuple[str, bool]]:
    return [
        (getattr(one, "action", one.getMessage()), one.exc_info is not None)
        for one in caplog.records
        if one.levelno >= logging.WARNING
    ]


def test_an_outage_is_503_and_has_one_line_at_each_end(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as away:
        away.setattr(event_rows, "insert", failing(OperationalError("The database is away.")))
        assert [post(shell, number) for number in range(5)] == [503] * 5
    assert [post(shell, number) for number in range(5)] == [200] * 5
    assert written(caplog) == [("database_away", False), ("database_back", False)]


def test_an_event_that_the_database_refuses_is_500_with_a_trace(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(event_rows, "insert", failing(DataError("No such number.")))
    assert post(shell, 1) == 500
    assert written(caplog)[0] == ("webhook_not_stored", True)
