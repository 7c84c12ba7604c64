"""The bytes that Chromium receives on visits of a page: the first with an empty cache, and the next."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from playwright.sync_api import sync_playwright

from tests.support.browser import LAUNCH_ARGUMENTS, chromium_path


class Visits:
    """A browser that is signed in by a cookie."""

    def __init__(self, url: str, cookie: str) -> None:
        self._url, self._cookie = url, cookie

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=chromium_path(), args=LAUNCH_ARGUMENTS
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._browser.close()
        self._playwright.stop()

    def bytes_of(self, path: str) -> tuple[int, int]:
        """Return the bytes of heads and bodies of a first visit and of the next, without those of sockets."""
        context = self._browser.new_context()
        context.add_cookies([{"name": "sessionid", "value": self._cookie, "url": self._url}])
        page = context.new_page()
        received = 0

        def note(event: Any) -> None:
            nonlocal received
            received += int(event["encodedDataLength"])

        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.on("Network.loadingFinished", note)
        found = []
        for _ in range(2):
            received = 0
            page.goto(self._url + path, wait_until="networkidle")
            found.append(received)
        context.close()
        return found[0], found[1]
