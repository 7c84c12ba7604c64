from __future__ import annotations

import json
import logging
import sys

import pytest

from koinonia.config import log_lines


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("delivery", logging.WARNING, "", 1, message, arguments, None)
    vars(made).update(extra)
    return made


def test_a_plain_line_shows_the_extra_of_the_record() -> None:
    line = log_lines.PlainFormatter().format(record("The breaker is %s.", "open", state="open"))
    assert line.endswith(" WARNING delivery  The breaker is open.  state=open")


def test_a_json_line_is_one_object() -> None:
    line = log_lines.JsonFormatter().format(record("Sent.", message_id=7))
    found = json.loads(line)
    assert (found["level"], found["logger"]) == ("WARNING", "delivery")
    assert (found["message"], found["message_id"]) == ("Sent.", 7)


@pytest.mark.parametrize("formatter", [log_lines.PlainFormatter(), log_lines.JsonFormatter()])
def test_no_line_contains_a_phone_number(formatter: logging.Formatter) -> None:
    line = formatter.format(record("No such member: %s", "+13125550123", to="+4915112345678"))
    assert "+…23" in line
    assert "+…78" in line
    assert "312555" not in line


@pytest.mark.parametrize("formatter", [log_lines.PlainFormatter(), log_lines.JsonFormatter()])
@pytest.mark.parametrize(
    "path", ["/invitations/{}/", "/api/v1/me/invitations/{}/accept/", "/password-reset/MQ/{}/"]
)
def test_no_line_contains_a_secret_link(formatter: logging.Formatter, path: str) -> None:
    secret = "d9x2kf-" + "A3OfO6T8wjrDskjCXumwE6D8QkaEsRQr"
    line = formatter.format(record("Forbidden (CSRF cookie not set.): %s", path.format(secret)))
    assert secret not in line
    assert path.partition("{}")[0] in line


def test_a_trace_does_not_quote_the_row_that_the_database_refused() -> None:
    row = "Failing row contains (7, Anna Long, The picnic\n\nbegins at noon)."
    quoting = f"violates a constraint\nDETAIL:  {row}"
    try:
        try:
            raise LookupError(quoting)
        except LookupError as error:
            raise ValueError(quoting) from error
    except ValueError:
        failed = record("It failed.", exc_info=sys.exc_info())
    for formatter in (log_lines.PlainFormatter(), log_lines.JsonFormatter()):
        line = formatter.format(failed)
        assert line.count("DETAIL: …") == 2
        assert line.count("violates a constraint") == 2
        assert "ValueError" in line
        assert "The above exception" in line
        assert "Anna" not in line
        assert "picnic" not in line
        assert "noon" not in line


def test_the_tenant_of_delivery_is_called_by_the_id_of_the_church() -> None:
    found = json.loads(log_lines.JsonFormatter().format(record("Sent.", tenant=7)))
    assert found["church_id"] == 7
    assert "tenant" not in found


def test_a_traceback_is_part_of_the_line() -> None:
    try:
        raise LookupError("+13125550123 is unknown")
    except LookupError:
        failed = record("It failed.", exc_info=sys.exc_info())
    found = json.loads(log_lines.JsonFormatter().format(failed))
    assert "LookupError: +…23 is unknown" in found["trace"]
