"""The whole way of one text in the log of a running system, found by one id."""

from __future__ import annotations

import re

import requests

from tests.support.running_system import RunningSystem
from tests.support.waiting import wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NUMBER = "+13125550178"
WORDS = "The picnic begins at noon"
ACTIONS = {"request", "send", "webhook_applied"}


def test_one_id_finds_the_request_the_call_and_the_reports(system: RunningSystem) -> None:
    messages = f"{system.url}/api/v1/churches/grace/messages/"
    headers = {
        "Authorization": f"Bearer {system.token('grace-owner')}",
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
    }
    body = {"to": NUMBER, "text": WORDS}
    answer = requests.post(messages, json=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (202, TRACE)
    search = requests.get(
        f"{messages}?search=%2B13125550178", headers={**headers, "traceparent": ""}, timeout=30
    )
    wait_until(lambda: _actions(system) >= ACTIONS, 60)
    written = system.log.read_text()
    assert NUMBER not in written
    assert NUMBER[1:] not in written
    assert WORDS not in written
    assert "search=" not in written
    assert search.headers["X-Request-ID"] in written


def _actions(system: RunningSystem) -> set[str]:
    """Return the kinds of lines that name our trace."""
    lines = [line for line in system.log.read_text().splitlines() if TRACE in line]
    return {found[1] for line in lines if (found := re.search(r"action=(\w+)", line))}
