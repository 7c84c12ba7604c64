from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.realtime.second_project.processes import SecondProject

TIMING = {
    "base": 50, "cap": 400, "connect": 1500, "stable": 1000, "slack": 1500, "restart": 200,
    "retrySocket": 700, "wait": 3000,
}  # fmt: skip


@dataclass
class Tab:
    """A page with the client in it."""

    page: Page
    stream: str

    def begin(self, since: int | None = 0, **options: Any) -> Tab:
        position = {} if since is None else {"since": since}
        given = {self.stream: {**position, "poll": f"/events/{self.stream}/"}}
        self.page.evaluate(
            "([streams, options]) => begin(streams, options)",
            [given, {"timing": TIMING, **options}],
        )
        return self

    def wait_for(self, state: str) -> None:
        self.page.wait_for_function("(state) => states.at(-1) === state", arg=state)

    def wait_for_number(self, number: int) -> None:
        self.page.wait_for_function("(n) => events.at(-1)?.data.n === n", arg=number)

    def numbers(self) -> list[int]:
        numbers: list[int] = self.page.evaluate("events.map(({ data }) => data.n)")
        return numbers


OpenTab = Callable[..., Tab]


@pytest.fixture
def port(project: SecondProject) -> Iterator[int]:
    port = project.serve()
    yield port
    project.close_servers()


@pytest.fixture
def context(browser: Browser, port: int, session: str) -> Iterator[BrowserContext]:
    url = f"http://127.0.0.1:{port}"
    context = browser.new_context(base_url=url)
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    yield context
    context.close()


@pytest.fixture
def open_tab(context: BrowserContext, stream: str) -> OpenTab:
    def open_tab(before: str = "") -> Tab:
        page = context.new_page()
        if before:
            page.add_init_script(before)
        page.goto("/page/")
        page.wait_for_function("window.ready")
        return Tab(page, stream)

    return open_tab
