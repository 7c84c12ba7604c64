"""Polling with answers that are errors, late, or not from the log."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Route

from tests.realtime.browser.conftest import TIMING, OpenTab
from tests.realtime.browser.test_client import NO_SOCKETS
from tests.realtime.second_project.processes import SecondProject

EVENTS = "**/events/**"


@pytest.mark.parametrize("when", ["0", "-1", "Thu, 01 Jan 2026 00:00:00 GMT", "1e300", "soon", ""])
def test_an_invalid_retry_after_causes_no_retry_storm(
    open_tab: OpenTab, context: BrowserContext, when: str
) -> None:
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=429, headers={"Retry-After": when})

    context.route(EVENTS, refuse)
    tab = open_tab(NO_SOCKETS)
    with tab.page.expect_response(EVENTS):
        tab.begin(timing={**TIMING, "retrySocket": 600_000})
    tab.page.wait_for_timeout(1500)  # no request may follow
    assert len(asked) == 1


def test_polling_continues_after_a_short_retry_after(
    project: SecondProject, open_tab: OpenTab, context: BrowserContext, stream: str
) -> None:
    headers = {"Retry-After": "0.2"}
    context.route(EVENTS, lambda route: route.fulfill(status=503, headers=headers))
    tab = open_tab(NO_SOCKETS).begin()
    tab.page.wait_for_function("states.at(-1) === 'connecting'")
    context.unroute(EVENTS)
    project.write("append", stream, 1)
    tab.wait_for("polling")
    tab.wait_for_number(1)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 502},
        {"status": 200, "body": "<h1>Log in</h1>"},
        {"status": 200, "body": "{}"},
        {"status": 200, "body": "null"},
    ],
)
def test_answers_that_are_not_from_the_log_do_not_count_as_polling(
    project: SecondProject,
    open_tab: OpenTab,
    context: BrowserContext,
    stream: str,
    answer: dict[str, object],
) -> None:
    tab = open_tab(NO_SOCKETS).begin()
    tab.wait_for("polling")
    context.route(EVENTS, lambda route: route.fulfill(**answer))
    project.write("append", stream, 1)  # ends the held request
    tab.wait_for_number(1)
    tab.wait_for("connecting")
    context.unroute(EVENTS)
    tab.wait_for("polling")
    project.write("append", stream, 2)
    tab.wait_for_number(2)
    assert tab.numbers() == [1, 2]


def test_a_held_request_without_an_answer_is_repeated(
    project: SecondProject, open_tab: OpenTab, context: BrowserContext, stream: str
) -> None:
    held: list[Route] = []
    tab = open_tab(NO_SOCKETS).begin()
    tab.wait_for("polling")
    context.route(EVENTS, lambda route: held.append(route))  # never answered
    project.write("append", stream, 1)
    tab.wait_for_number(1)
    while not held:
        tab.page.wait_for_timeout(20)
    context.unroute(EVENTS)
    project.write("append", stream, 2)
    tab.wait_for_number(2)


def test_a_shown_page_does_not_wait_for_a_request_lost_during_sleep(
    project: SecondProject, open_tab: OpenTab, context: BrowserContext, stream: str
) -> None:
    held: list[Route] = []
    tab = open_tab(NO_SOCKETS).begin(timing={**TIMING, "slack": 600_000, "retrySocket": 600_000})
    tab.wait_for("polling")
    context.route(EVENTS, lambda route: held.append(route))
    project.write("append", stream, 1)
    tab.wait_for_number(1)
    while not held:
        tab.page.wait_for_timeout(20)
    context.unroute(EVENTS)
    project.write("append", stream, 2)
    tab.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    tab.wait_for_number(2)
