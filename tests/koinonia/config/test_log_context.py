from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from koinonia.config import log_context, log_lines
from koinonia.config.log_context import LogContext

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def context_of(*traceparents: str) -> LogContext:
    return LogContext([(b"traceparent", value.encode()) for value in traceparents])


@pytest.fixture
def within_a_request() -> Iterator[LogContext]:
    context = context_of(f"00-{TRACE}-{PARENT}-01")
    before = log_context.current.set(context)
    yield context
    log_context.current.reset(before)


@pytest.mark.parametrize("rest", ["00", "01", "ff"])
def test_the_trace_of_the_caller_is_taken(rest: str) -> None:
    context = context_of(f"00-{TRACE}-{PARENT}-{rest}")
    assert (context.request_id, context.parent_id) == (TRACE, PARENT)


def test_a_later_version_may_have_more_parts() -> None:
    assert context_of(f"cc-{TRACE}-{PARENT}-01-what-comes").request_id == TRACE


@pytest.mark.parametrize(
    "value",
    [
        "",
        "mine",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-01\n",
        f"cc-{TRACE}-{PARENT}-01-{'x' * 600}",
    ],
)
def test_an_invalid_traceparent_is_ignored(value: str) -> None:
    context = context_of(value)
    assert (len(context.request_id), context.parent_id) == (32, "")
    assert context.request_id not in value


def test_two_traceparents_name_no_trace() -> None:
    value = f"00-{TRACE}-{PARENT}-01"
    assert context_of(value, value).request_id != TRACE


def test_every_line_of_a_request_has_its_id(within_a_request: LogContext) -> None:
    assert _line()["request_id"] == TRACE


def test_a_line_about_another_request_keeps_its_own_id(within_a_request: LogContext) -> None:
    assert _line(request_id="another")["request_id"] == "another"


def test_a_line_outside_a_request_has_no_id() -> None:
    assert "request_id" not in _line()


def test_a_field_without_a_value_is_left_out() -> None:
    assert _line(code="", user=None, bytes=0).keys() >= {"bytes"}
    assert not _line(code="", user=None, bytes=0).keys() & {"code", "user"}


def test_text_that_is_no_unicode_is_written() -> None:
    assert _line(path="/\udcff")["path"] == "/\udcff"


def _line(**extra: Any) -> dict[str, Any]:
    record = logging.LogRecord("delivery", logging.INFO, "", 1, "Sent.", (), None)
    vars(record).update(extra)
    found: dict[str, Any] = json.loads(log_lines.JsonFormatter().format(record))
    return found
