"""How often a page renews its live parts, with a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.console.conftest import sign_in
from tests.console.random_actions import Office
from tests.support.running_system import RunningSystem
from tests.support.waiting import wait_until

pytestmark = pytest.mark.any_database

SECONDS = 1000
_NODES = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ALL);
    let count = 0;
    while (walker.nextNode()) count += 1;
    return count;
}"""
_RESET = (
    "document.body.dispatchEvent(new CustomEvent('koinonia:reset', { detail: { events: [] } }))"
)


def test_each_event_renews_a_part_that_was_replaced_before(
    rough_page: Page, system: RunningSystem
) -> None:
    """After a renewal that never seems to end, the page would wait for 10 seconds."""
    page = rough_page
    frames: list[str] = []
    page.on("websocket", lambda socket: _keep_frames(socket, frames))
    sign_in(page, system, "grace-sender")
    page.clock.install()
    page.goto("/churches/grace/sent/texts/")
    page.wait_for_selector("#link[data-state=live]")
    page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=5))
    office = Office(system, "grace-sender", "renewals")
    for words in ("First", "Second", "Third"):
        text = office.post("messages/", {"to": "+13125550179", "text": words})
        wait_until(partial(_has_arrived, page, frames, text["id"]))
        page.clock.run_for(2 * SECONDS)
        row = page.locator(f"li[data-message='{text['id']}']")
        expect(row).to_be_visible(timeout=60 * SECONDS)


def test_renewals_leave_no_nodes_behind(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-sender")
    page.goto("/churches/grace/inbox/")
    page.wait_for_selector("#link[data-state=live]")
    before = page.evaluate(_NODES)
    for _ in range(3):
        with page.expect_response("**/parts/unread/"), page.expect_response("**/parts/banner/"):
            page.evaluate(_RESET)
        expect(page.locator(".htmx-request")).to_have_count(0)
    assert page.evaluate(_NODES) == before


def _has_arrived(page: Page, frames: list[str], key: str) -> bool:
    # Playwright tells of frames during a call.
    page.evaluate("0")
    return any(key in frame for frame in frames)


def _keep_frames(socket: WebSocket, frames: list[str]) -> None:
    socket.on("framereceived", lambda payload: frames.append(str(payload)))
