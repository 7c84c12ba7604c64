"""The browser of the browser tests: the installed Chromium in headless mode."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

_NAMES = ("chromium", "google-chrome")
_PATIENCE_MS = 30_000
"""The wait of `expect`. Its default, 5 s, is too short on a loaded machine."""
# Chromium's sandbox refuses to run as root.
LAUNCH_ARGUMENTS = ["--no-sandbox"] if os.geteuid() == 0 else []


def chromium_path() -> str:
    """Return the path of Chromium; skip the test without it, or fail with ``REQUIRE_BROWSER=1``."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    reason = f"None of {', '.join(_NAMES)} is on PATH."
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(f"REQUIRE_BROWSER=1: {reason}")
    pytest.skip(reason)


# The scope is not the session: while Playwright's synchronous API is open, its event loop runs in
# this thread, and asynchronous tests cannot start another loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=LAUNCH_ARGUMENTS)
        yield browser
        browser.close()
