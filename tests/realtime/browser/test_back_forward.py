"""The back-forward cache keeps a page that keeps no connection; it goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser import LAUNCH_ARGUMENTS, chromium_path
from tests.realtime.browser.conftest import OpenTab
from tests.realtime.second_project.processes import SecondProject


@pytest.fixture
def context(browser: Browser, port: int, session: str) -> Iterator[BrowserContext]:
    """Of a browser with the cache, which Playwright takes away."""
    cached = browser.browser_type.launch(
        executable_path=chromium_path(),
        args=LAUNCH_ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    url = f"http://127.0.0.1:{port}"
    context = cached.new_context(base_url=url)
    context.set_default_timeout(20_000)
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    yield context
    cached.close()


def test_who_comes_back_by_the_back_button_has_missed_nothing(
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
    # Not go_back: the page that comes back is not loaded, and Playwright would wait for that.
    tab.page.evaluate("() => { setTimeout(() => history.back()) }")
    tab.page.wait_for_url("**/page/", wait_until="commit")
    tab.wait_for_number(25)
    tab.wait_for("live")
    assert tab.page.evaluate("kept")
    assert tab.numbers() == list(range(1, 26))
