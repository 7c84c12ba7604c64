"""A page in the back-forward cache has no connection, and resumes when it is shown again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.realtime.browser.conftest import OpenTab
from tests.realtime.second_project.processes import SecondProject
from tests.support.browser import LAUNCH_ARGUMENTS, chromium_path


@pytest.fixture
def context(browser: Browser, port: int, session: str) -> Iterator[BrowserContext]:
    """Start a browser with the back-forward cache, which Playwright disables."""
    cached = browser.browser_type.launch(
        executable_path=chromium_path(),
        args=LAUNCH_ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    url = f"http://127.0.0.1:{port}"
    context = cached.new_context(base_url=url)
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    yield context
    cached.close()


def test_the_back_button_loses_no_events(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    tab = open_tab().begin()
    tab.wait_for("live")
    project.write("append", stream, 1, 5)
    tab.wait_for_number(5)
    tab.page.evaluate(
        "() => addEventListener('pageshow', (event) => { window.kept = event.persisted })"
    )
    tab.page.goto("/snapshot/elsewhere/")
    project.write("append", stream, 6, 20)
    # history.back, because go_back waits for a load event, and a cached page has none.
    tab.page.evaluate("() => { setTimeout(() => history.back()) }")
    tab.page.wait_for_url("**/page/", wait_until="commit")
    tab.wait_for_number(25)
    tab.wait_for("live")
    assert tab.page.evaluate("kept")
    assert tab.numbers() == list(range(1, 26))
