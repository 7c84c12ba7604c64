"""The browser of the browser tests: the machine's own Chromium, without a window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "google-chrome")
# Chromium's sandbox refuses to run as root.
LAUNCH_ARGUMENTS = ["--no-sandbox"] if os.geteuid() == 0 else []


def chromium_path() -> str:
    """The path of Chromium; skips the test where there is none (``REQUIRE_BROWSER=1``: fails it)."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    reason = f"None of {', '.join(_NAMES)} is on PATH."
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(f"REQUIRE_BROWSER=1: {reason}")
    pytest.skip(reason)


# Not of the whole run: while Playwright's synchronous API is open, its event loop counts as running
# in this thread, and no asynchronous test can start one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=LAUNCH_ARGUMENTS)
        yield browser
        browser.close()
