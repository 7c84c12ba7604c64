"""``make screenshots``: save pictures of the pages of a running system into docs/screenshots/."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import requests
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from tests.support.browser import LAUNCH_ARGUMENTS, chromium_path
from tests.support.running_system import ROOT, RunningSystem

TARGET = ROOT / "docs" / "screenshots"
WIDE: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        RunningSystem(Path(directory) / "var") as system,
    ):
        _make_history(system)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_path(), args=LAUNCH_ARGUMENTS
            )
            page = browser.new_page(base_url=system.url, viewport=WIDE)
            _office(page, system)
            _support(browser.new_page(base_url=system.url, viewport=WIDE), system)
            browser.close()


def _make_history(system: RunningSystem) -> None:
    headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}
    base = f"{system.url}/api/v1/churches/grace/"
    for text in ("The choir meets at 7 pm tonight.", "Can you bring the projector on Sunday?"):
        member = requests.get(f"{base}members/", headers=headers, timeout=10).json()["results"][0]
        body = {"member": member["id"], "text": text}
        requests.post(f"{base}messages/", headers=headers, json=body, timeout=10).raise_for_status()
    body = {
        "text": "Dear {first_name}, the picnic is on Sunday after service.",
        "audience": {"all": True},
    }
    requests.post(f"{base}broadcasts/", headers=headers, json=body, timeout=30).raise_for_status()


def _office(page: Page, system: RunningSystem) -> None:
    page.goto("/login/")
    _shoot(page, "login")
    page.get_by_label("User name").fill("grace-owner")
    page.get_by_label("Password").fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#link[data-state=live]")
    expect(page.locator(".share").first).to_have_text("100 %", timeout=60_000)
    _shoot(page, "console")
    page.get_by_label("To").click()
    page.wait_for_selector("#recipients li")
    _shoot(page, "compose")
    page.set_viewport_size(PHONE)
    page.reload()
    page.wait_for_selector("#link[data-state=live]")
    _shoot(page, "console-phone")


def _support(page: Page, system: RunningSystem) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("support")
    page.get_by_label("Password").fill(system.password)
    page.get_by_role("button", name="Log in").click()
    _shoot(page, "admin")
    page.goto("/admin/delivery/deadletter/")
    _shoot(page, "dead-letters")


def _shoot(page: Page, name: str) -> None:
    page.screenshot(path=TARGET / f"{name}.png")
    sys.stdout.write(f"docs/screenshots/{name}.png\n")


if __name__ == "__main__":
    main()
