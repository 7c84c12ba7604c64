"""``make screenshots``: save pictures of the pages of a running system into docs/screenshots/."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.console.page_roles import PAGES
from tests.support.browser import LAUNCH_ARGUMENTS, chromium_path
from tests.support.running_system import ROOT, RunningSystem

TARGET = ROOT / "docs" / "screenshots"
WIDE: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
ITEMS = {
    "/churches/grace/inbox/": "#conversations li a",
    "/churches/grace/sent/": "li[data-broadcast] a",
    "/churches/grace/sent/texts/": "li[data-message] a",
    "/churches/grace/members/": "#members .rows a",
    "/churches/grace/groups/": "main .rows a",
}
"""A list -> the links to its items."""


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
            _in_spanish(browser, system)
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
    # The text of the history has arrived.
    page.goto("/churches/grace/sent/")
    expect(page.locator("#broadcasts")).to_contain_text("Done", timeout=60_000)
    expect(page.locator("#broadcasts")).not_to_contain_text("on their way", timeout=60_000)
    for path in _paths(page):
        for size, suffix in ((WIDE, ""), (PHONE, "-phone")):
            page.set_viewport_size(size)
            page.goto(path)
            page.wait_for_selector("#link[data-state=live]")
            _shoot(page, _name_of(path) + suffix)


def _in_spanish(browser: Browser, system: RunningSystem) -> None:
    """Save the first page as a browser shows it whose language is Spanish."""
    page = browser.new_page(base_url=system.url, viewport=WIDE, locale="es-MX")
    page.goto("/login/")
    page.get_by_label("Nombre de usuario").fill("grace-owner")
    page.get_by_label("Contraseña", exact=True).fill(system.password)
    page.get_by_role("button", name="Iniciar sesión").click()
    page.wait_for_selector("#link[data-state=live]")
    _shoot(page, "today-in-spanish")


def _paths(page: Page) -> list[str]:
    """Return all pages of the church, and one conversation, broadcast, text, member and group."""
    listed = [
        f"/churches/grace/{path}" for path in PAGES if "parts/" not in path and "?" not in path
    ]
    items = []
    for path, link in ITEMS.items():
        page.goto(path)
        items.append(page.locator(link).first.get_attribute("href") or path)
    return [*listed, *items]


def _name_of(path: str) -> str:
    """Return the name of the picture; that of an item without its id."""
    parts = path.partition("?")[0].partition("#")[0].strip("/").split("/")[2:]
    plain = [part for part in parts if part.isalpha() and part.islower()]
    if len(plain) < len(parts):
        plain.append("one")
    return "-".join(plain) or "today"


def _support(page: Page, system: RunningSystem) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("support")
    page.get_by_label("Password").fill(system.password)
    page.get_by_role("button", name="Log in").click()
    _shoot(page, "admin")
    page.goto("/admin/delivery/deadletter/")
    _shoot(page, "dead-letters")


def _shoot(page: Page, name: str) -> None:
    # A part that is being renewed is pale.
    expect(page.locator(".htmx-request")).to_have_count(0)
    page.screenshot(path=TARGET / f"{name}.png")
    sys.stdout.write(f"docs/screenshots/{name}.png\n")


if __name__ == "__main__":
    main()
