"""The inbox in Chromium: it follows the texts, and keeps what was typed whatever happens meanwhile."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from koinonia.phone import as_written
from tests.console.accessibility import (
    covered_controls,
    is_too_wide,
    serious_faults,
    small_targets,
)
from tests.console.conftest import sign_in
from tests.console.test_accessibility import ENLARGED, PHONE, WIDE
from tests.support.running_system import RunningSystem
from tests.support.waiting import wait_until

pytestmark = pytest.mark.any_database

SECONDS = 1000
INBOX = "/churches/grace/inbox/"
_numbers = itertools.count(13125550700)


def api(system: RunningSystem, user: str = "grace-owner") -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {system.token(user)}"
    return session


class Talk:
    """A conversation with a person who has a phone."""

    def __init__(self, system: RunningSystem) -> None:
        self.system, self.number = system, f"+{next(_numbers)}"
        self.session = api(system)
        self.base = f"{system.url}/api/v1/churches/grace/"
        self.church = self.session.get(self.base, timeout=60).json()["phone_number"]

    def says(self, words: str) -> None:
        """Send a text from the phone, as the simulator's carrier does."""
        body = {"from": self.number, "to": self.church, "text": words}
        control = self.system.simulator["control"]
        requests.post(f"{control}/inbound", json=body, timeout=60).raise_for_status()

    def found(self) -> dict[str, Any]:
        """Return the conversation, as soon as the first text has arrived."""
        return wait_until(self._found, pause=0.2)

    def _found(self) -> dict[str, Any]:
        query = f"conversations/?search={self.number[1:]}"
        rows = self.session.get(self.base + query, timeout=60).json()["results"]
        return dict(rows[0]) if rows else {}

    def answer(self, words: str) -> None:
        """Answer as the owner, in another office."""
        url = f"{self.base}conversations/{self.found()['id']}/messages/"
        self.session.post(url, json={"text": words}, timeout=60).raise_for_status()


@pytest.fixture
def talk(system: RunningSystem) -> Talk:
    return Talk(system)


def open_talk(page: Page, talk: Talk, words: str) -> None:
    """Wait for the text in the list that is open, and open its conversation."""
    talk.says(words)
    page.get_by_role("link", name=words).click(timeout=60 * SECONDS)
    expect(page.get_by_role("heading", level=1)).to_have_text(as_written(talk.number, "US"))


def begin_live_talk(page: Page, talk: Talk, words: str) -> None:
    """Open the conversation from the inbox, and wait until its page hears events."""
    page.goto(INBOX)
    page.wait_for_selector("#link[data-state=live]")
    open_talk(page, talk, words)
    page.wait_for_selector("#link[data-state=live]")


def test_a_text_arrives_is_read_and_answered_without_a_reload(
    page: Page, system: RunningSystem, talk: Talk
) -> None:
    sign_in(page, system, "grace-sender")
    page.goto(INBOX)
    page.wait_for_selector("#link[data-state=live]")
    open_talk(page, talk, "May I bring a cake?")
    expect(page.get_by_label("Reply")).to_be_focused()
    expect(page.locator("#texts")).to_have_attribute("data-unread", "0", timeout=60 * SECONDS)
    page.wait_for_selector("#link[data-state=live]")
    page.get_by_label("Reply").fill("Half a sentence")
    talk.says("Or two?")
    texts = page.locator("#texts")
    expect(texts).to_contain_text("Or two?", timeout=60 * SECONDS)
    talk.answer("The owner says yes")
    expect(texts).to_contain_text("The owner says yes", timeout=60 * SECONDS)
    # No notice covers the reply of the conversation that is open.
    expect(page.locator("#notices a")).to_have_count(0)
    expect(page.get_by_label("Reply")).to_have_value("Half a sentence")

    page.get_by_label("Reply").fill("Two, please")
    page.get_by_label("Reply").press("Control+Enter")
    bubble = page.locator("#texts li", has_text="Two, please")
    expect(bubble.locator(".chip")).to_have_text("Delivered ✓", timeout=60 * SECONDS)
    expect(page.get_by_label("Reply")).to_have_value("")
    assert talk.found()["unread_count"] == 0


def test_the_reply_box_closes_when_the_person_opts_out(
    page: Page, system: RunningSystem, talk: Talk
) -> None:
    sign_in(page, system, "grace-sender")
    begin_live_talk(page, talk, "Who is this?")
    expect(page.get_by_label("Reply")).to_be_visible()
    talk.says("STOP")
    expect(page.locator("#closed")).to_contain_text("texted STOP", timeout=60 * SECONDS)
    expect(page.get_by_label("Reply")).to_be_hidden()


def test_a_reply_survives_the_end_of_the_session(
    page: Page, system: RunningSystem, talk: Talk
) -> None:
    sign_in(page, system, "grace-sender")
    page.goto(INBOX)
    page.wait_for_selector("#link[data-state=live]")
    open_talk(page, talk, "When does it begin?")
    page.get_by_label("Reply").fill("At ten in the park")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/login/**")
    page.get_by_label("User name").fill("grace-sender")
    page.locator("input[name=password]").fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{INBOX}{talk.found()['id']}/")
    expect(page.get_by_label("Reply")).to_have_value("At ten in the park")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#texts")).to_contain_text("At ten in the park")
    page.reload()
    expect(page.get_by_label("Reply")).to_have_value("")


def test_a_search_while_typing_keeps_the_focus(
    page: Page, system: RunningSystem, talk: Talk
) -> None:
    talk.says("Something about zucchini")
    sign_in(page, system, "grace-viewer")
    page.goto(INBOX)
    page.get_by_label("Find a person").press_sequentially("zucchini")
    rows = page.locator("#conversations li")
    expect(rows).to_have_count(1, timeout=60 * SECONDS)
    expect(rows).to_contain_text("zucchini")
    expect(page.get_by_label("Find a person")).to_be_focused()
    expect(page).to_have_url(re.compile("search=zucchini"))
    page.get_by_role("link", name="All", exact=True).click()
    expect(page.get_by_label("Find a person")).to_have_value("zucchini")


@pytest.mark.parametrize("width", [390, 1280])
def test_texts_are_read_and_answered_without_javascript(
    browser: Browser, system: RunningSystem, talk: Talk, width: int
) -> None:
    talk.says("Hello from 2003")
    context = browser.new_context(
        base_url=system.url, java_script_enabled=False, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto(f"/login/?next={INBOX}")
    page.get_by_label("User name").fill("grace-sender")
    page.locator("input[name=password]").fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{INBOX}{talk.found()['id']}/")
    page.get_by_role("button", name="Mark as read").click()
    expect(page.get_by_role("button", name="Mark as read")).to_be_hidden()
    assert talk.found()["unread_count"] == 0
    page.get_by_label("Reply").fill("x" * 1601)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_label("Reply")).to_have_value("x" * 1601)
    page.get_by_label("Reply").fill("Welcome")
    page.get_by_role("button", name="Send, and mark as done").click()
    expect(page.get_by_text("Your text is on its way.")).to_be_visible()
    assert talk.found()["last_message"]["text"] == "Welcome"
    assert talk.found()["done"] is True
    context.close()


@pytest.mark.parametrize("size", [WIDE, PHONE, ENLARGED], ids=["wide", "phone", "enlarged"])
def test_a_conversation_shuts_nobody_out(
    browser: Browser, system: RunningSystem, talk: Talk, size: dict[str, Any]
) -> None:
    context = browser.new_context(base_url=system.url, **size)
    page = context.new_page()
    sign_in(page, system, "grace-sender")
    begin_live_talk(page, talk, "Is the office open?")
    talk.says("please stop texting me " + "a" * 300)
    expect(page.locator("#texts")).to_contain_text("request to stop", timeout=60 * SECONDS)
    page.get_by_text("Notes of the staff").click()
    page.get_by_text("Add a note").click()
    page.get_by_label("New note").fill("Sings alto")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#notes-list")).to_contain_text("Sings alto")
    page.reload()  # Without the notice, which covers the corner for some seconds.
    assert not is_too_wide(page)
    if size is ENLARGED:
        assert covered_controls(page) == []
    else:
        assert serious_faults(page) == []
    if size is PHONE:
        assert small_targets(page) == []
        page.get_by_role("button", name="Take it").click()
        page.locator("#head summary", has_text="More").click()
        box = page.get_by_label("Who answers").bounding_box()
        assert box is not None
        assert box["x"] >= 0
    context.close()


def test_the_reply_stays_in_the_window_below_a_banner(
    page: Page, system: RunningSystem, talk: Talk
) -> None:
    sign_in(page, system, "grace-sender")
    begin_live_talk(page, talk, "Is there parking?")
    system.manage("breaker", "open")
    try:
        expect(page.locator(".banner")).to_be_visible(timeout=15 * SECONDS)
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    finally:
        system.manage("breaker", "auto")
