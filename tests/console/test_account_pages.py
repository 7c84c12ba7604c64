"""Pages for invitations and passwords without JavaScript, in desktop and phone sizes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.support.running_system import RunningSystem, database_environment, free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.any_database

WIDTHS = (1280, 390)
PASSWORD = "another one, and long"


class Sink:
    """An SMTP handler that keeps the mails of the system."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        self.mails.append(envelope.content.decode())
        return "250 OK"

    def link(self, address: str, path: str) -> str:
        """Return the newest link to ``path`` in a mail to ``address``."""

        def found() -> str:
            mine = [mail for mail in self.mails if f"To: {address}" in mail]
            links = re.findall(rf"http://\S+{path}\S+", "".join(mine).replace("=\r\n", ""))
            return str(links[-1]) if links else ""

        return wait_until(found)


@pytest.fixture(scope="module")
def sink() -> Iterator[tuple[Sink, int]]:
    sink, port = Sink(), free_port()
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    yield sink, port
    controller.stop()


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, sink: tuple[Sink, int]
) -> Iterator[RunningSystem]:
    mail = {"EMAIL_URL": f"smtp://127.0.0.1:{sink[1]}/"}
    data_dir = tmp_path_factory.mktemp("up")
    with RunningSystem(data_dir, **database_environment(), **mail) as running:
        yield running


@pytest.fixture(params=WIDTHS)
def page(request: pytest.FixtureRequest, browser: Browser, system: RunningSystem) -> Iterator[Page]:
    size: ViewportSize = {"width": request.param, "height": 844}
    context = browser.new_context(base_url=system.url, java_script_enabled=False, viewport=size)
    yield context.new_page()
    context.close()


def look(page: Page, name: str) -> None:
    """Check that the page fits the window; save a picture into ``SCREENSHOTS``."""
    width = page.viewport_size and page.viewport_size["width"]
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{name}-{width}.png", full_page=True)
    for box in page.locator("h1, input, button, .card, p, label").filter(visible=True).all():
        found = box.bounding_box()
        assert found is not None
        assert found["x"] >= 0
        assert found["x"] + found["width"] <= (width or 0)


def sign_in(page: Page, system: RunningSystem, name: str, password: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def invite(system: RunningSystem, **body: str) -> None:
    headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}
    path = f"{system.url}/api/v1/churches/grace/invitations/"
    given = {"role": "sender", **body}
    requests.post(path, headers=headers, json=given, timeout=60).raise_for_status()


def test_a_new_user_accepts_by_mail_and_resets_the_password(
    page: Page, system: RunningSystem, sink: tuple[Sink, int]
) -> None:
    width = page.viewport_size and page.viewport_size["width"]
    address = f"anna-{width}@mail.example"
    invite(system, email=address)
    page.goto(sink[0].link(address, "/invitations/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Grace Church")
    look(page, "invitation-new")
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("New password confirmation").fill("other")
    page.get_by_role("button", name="Make my account and accept").click()
    expect(page.locator(".problem").first).to_be_visible()
    look(page, "invitation-problem")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Make my account and accept").click()
    page.get_by_role("link", name="More").click()
    expect(page.get_by_role("heading", name=address)).to_be_visible()
    page.get_by_role("main").get_by_role("button", name="Sign out").click()

    page.goto("/login/")
    look(page, "login")
    page.get_by_role("link", name="Forgotten password?").click()
    look(page, "password-reset")
    page.get_by_label("Email").fill(address)
    page.get_by_role("button", name="Send the link").click()
    look(page, "password-reset-sent")
    page.goto(sink[0].link(address, "/password-reset/"))
    look(page, "password-reset-confirm")
    page.get_by_label("New password", exact=True).fill(PASSWORD + "!")
    page.get_by_label("New password confirmation").fill(PASSWORD + "!")
    page.get_by_role("button", name="Set the password").click()
    look(page, "password-reset-complete")
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, system, address, PASSWORD + "!")
    expect(page.get_by_text("Grace Church").first).to_be_visible()


def test_a_user_accepts_an_invitation_on_the_invitations_page(
    page: Page, system: RunningSystem
) -> None:
    invite(system, username="hope-owner")
    page.goto("/")
    sign_in(page, system, "hope-owner", system.password)
    page.get_by_role("link", name="Invitations").click()
    look(page, "invitations")
    page.get_by_role("button", name="Accept Grace Church").click()
    expect(page.get_by_text("You text from (312) 555-0001")).to_be_visible()
    headers = {"Authorization": f"Bearer {system.token('hope-owner')}"}
    left = requests.delete(
        f"{system.url}/api/v1/churches/grace/staff/me/", headers=headers, timeout=10
    )
    assert left.status_code == 204


def test_further_pages_fit_the_window(page: Page, system: RunningSystem) -> None:
    page.goto("/invitations/nothing-here/")
    look(page, "invitation-ended")
    page.goto("/password-reset/x/y/")
    look(page, "link-ended")
    page.goto("/password/")
    sign_in(page, system, "grace-viewer", system.password)
    look(page, "password")
