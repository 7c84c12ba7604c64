"""Sent in Chromium: live progress, undo, and reading without JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import sign_in
from tests.support.running_system import RunningSystem

pytestmark = pytest.mark.any_database
API = "/api/v1/churches/grace/"


def post(system: RunningSystem, path: str, **body: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {system.token('grace-sender')}"}
    answer = requests.post(system.url + API + path, json=body, headers=headers, timeout=30)
    answer.raise_for_status()
    made: dict[str, Any] = answer.json()
    return made


def in_seconds(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def group(system: RunningSystem) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {system.token('grace-sender')}"}
    groups = requests.get(f"{system.url}{API}groups/", headers=headers, timeout=30).json()
    smallest = min(groups["results"], key=lambda one: one["members_count"])
    return {"groups": [smallest["id"]]}


def test_a_broadcast_goes_out_under_the_open_page(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-sender")
    made = post(system, "broadcasts/", text="Live", audience=group(system), send_at=in_seconds(3))
    page.goto(f"/churches/grace/sent/broadcasts/{made['id']}/")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.locator("#broadcast .chip").first).to_have_text("Done", timeout=30_000)
    expect(page.get_by_role("heading", name="Got it")).to_be_visible(timeout=30_000)
    # The question comes when there is an answer to it.
    page.get_by_label("Did a person get it?").fill("Nobody of this name")
    expect(page.get_by_role("button", name="Find")).to_be_visible()
    page.get_by_role("link", name="Show who").first.click()
    expect(page.locator("#people li").first).to_be_visible()


def test_undo_calls_the_text_back(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-sender")
    made = post(system, "messages/", to="+13125550199", text="Oh no", send_at=in_seconds(12))
    page.goto(f"/churches/grace/sent/texts/{made['id']}/")
    expect(page.get_by_text("It goes out in ")).to_be_visible()
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_text("Cancelled. This text does not go out.")).to_be_visible()
    expect(page.locator("#text .chip").first).to_have_text("Cancelled")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_are_read_without_javascript_and_without_sideways_scrolling(
    browser: Browser, system: RunningSystem, width: int
) -> None:
    text = post(system, "messages/", to="+13125550198", text="שלום " + "long" * 60)
    context = browser.new_context(
        base_url=system.url, java_script_enabled=False, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill("grace-sender")
    page.get_by_label("Password", exact=True).fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    for path in ("", "texts/", f"texts/{text['id']}/", "repeating/"):
        page.goto(f"/churches/grace/sent/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        wide = page.locator("html").bounding_box()
        assert wide is not None
        assert wide["width"] <= width
    context.close()
