"""Sending in a browser: by keyboard, with a draft, on a phone and without JavaScript."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.console.accessibility import is_too_wide
from tests.console.conftest import sign_in
from tests.support.running_system import RunningSystem

pytestmark = pytest.mark.any_database
SEND = "/churches/grace/send/"


PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 10


def picture(content: bytes) -> FilePayload:
    return {"name": "choir.png", "mimeType": "image/png", "buffer": content}


class Grace:
    """The API of Grace church, to see what the page has done."""

    def __init__(self, system: RunningSystem) -> None:
        self._system = system
        token = system.token("grace-sender")
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        url = f"{self._system.url}/api/v1/churches/grace/{path}"
        return requests.get(url, headers=self._headers, timeout=20).json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        url = f"{self._system.url}/api/v1/churches/grace/{path}"
        return requests.post(url, json=body, headers=self._headers, timeout=20).json()

    def texts(self, words: str) -> list[Any]:
        texts = self.get("messages/?direction=outbound")["results"]
        return [text for text in texts if text["text"] == words]


@pytest.fixture(scope="module")
def grace(system: RunningSystem) -> Grace:
    office = Grace(system)
    for first_name, number in (("Hannah", "+13125550881"), ("Anna", "+13125550882")):
        body = {"first_name": first_name, "last_name": "Aadams", "phone": number}
        office.post("members/", body)
    return office


def test_a_text_is_sent_by_keyboard_to_the_marked_person_only(
    page: Page, system: RunningSystem, grace: Grace
) -> None:
    sign_in(page, system, "grace-sender")
    page.goto(SEND)
    to = page.get_by_role("combobox", name="To", exact=True)
    to.press_sequentially("anna aadams")
    options = page.locator("#find-options").get_by_role("option")
    expect(options).to_have_text(["Anna Aadams (312) 555-0882", "Hannah Aadams (312) 555-0881"])
    to.press("Enter")
    expect(page.locator(".recipient")).to_have_count(0)
    to.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    to.press("Enter")
    expect(page.locator(".recipient bdi")).to_have_text(["Anna Aadams"])
    expect(page.locator("#outlook")).to_contain_text("1 person gets this text.")
    page.get_by_label("Text", exact=True).press_sequentially("Hello ")
    page.get_by_role("button", name="First name").press("Enter")
    expect(page.locator("#outlook .bubble")).to_have_text("Hello Anna")
    expect(page.locator("#size")).to_have_text("20 characters, 1 part")
    page.get_by_role("button", name="Send", exact=True).press("Enter")
    expect(page.locator(".notice")).to_have_text("On its way to 1 person.")
    assert len(grace.texts("Hello Anna")) == 1


def test_the_list_of_former_words_cannot_be_chosen(
    page: Page, system: RunningSystem, grace: Grace
) -> None:
    sign_in(page, system, "grace-sender")
    held: list[Any] = []
    page.route("**/send/parts/recipients/?*Aadams*", lambda route: held.append(route))
    page.goto(SEND)
    page.get_by_role("combobox", name="To", exact=True).click()
    everyone = page.get_by_role("option", name="Everyone")
    expect(everyone).to_be_visible()
    with page.expect_request("**/send/parts/recipients/?*Aadams*"):
        page.keyboard.type("Aadams")
    expect(everyone).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator(".chosen li").count() == 0
    for route in held:
        route.continue_()
    expect(page.get_by_role("option", name="Anna Aadams")).to_be_visible()


def test_a_draft_keeps_recipients_and_words_over_a_reload(
    page: Page, system: RunningSystem, grace: Grace
) -> None:
    sign_in(page, system, "grace-sender")
    page.goto(SEND)
    but_not = page.get_by_text("But not everybody")
    expect(but_not).to_be_hidden()
    page.get_by_role("combobox", name="To", exact=True).press_sequentially("choir")
    page.locator("#find-options").get_by_role("option", name="Choir").click()
    expect(but_not).to_be_visible()
    page.get_by_label("Text", exact=True).fill(200 * ".")
    expect(page.locator("#size")).to_have_text("200 characters, 2 parts")
    page.get_by_text("Add a picture or file").click()
    page.get_by_label("Picture or file").set_input_files(picture(PNG))
    expect(page.locator("#attached a")).to_have_text("choir.png")
    expect(page.locator("#attached img")).to_have_attribute("src", re.compile(r"\.png$"))
    expect(page.locator("#size")).to_have_text("200 characters, 1 part")
    page.get_by_label("Text", exact=True).fill("Draft")
    expect(page.locator("#outlook")).to_contain_text("people get this text.")
    page.get_by_text("Send later").click()
    expect(page.get_by_label("Last day")).to_be_hidden()
    page.get_by_label("Repeat").select_option("week")
    expect(page.get_by_label("Last day")).to_be_visible()
    page.get_by_label("Repeat").select_option("")
    page.get_by_label("Day", exact=True).fill(f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}")
    expect(page.get_by_role("button", name="Schedule")).to_be_visible()
    page.get_by_label("Day", exact=True).fill("")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    page.reload()
    expect(page.locator(".recipient bdi")).to_have_text(["Choir"])
    expect(page.locator("#attached a")).to_have_text("Attachment")
    expect(page.get_by_label("Text", exact=True)).to_have_value("Draft")
    expect(page.locator("#in-short")).to_contain_text("people")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Send this to")
    expect(page.locator(".pictures img")).to_have_count(1)
    page.get_by_role("button", name="No, go on writing").click()
    expect(page.get_by_label("Text", exact=True)).to_have_value("Draft")
    expect(page.locator("#attached a")).to_have_count(1)
    page.get_by_role("button", name="Remove Attachment").click()
    page.get_by_role("button", name="Remove Choir").click()
    expect(page.locator(".recipient")).to_have_count(0)
    assert grace.texts("Draft") == []


def test_a_refused_field_has_the_focus_and_loses_its_error_when_it_changes(
    rough_page: Page, system: RunningSystem, grace: Grace
) -> None:
    page = rough_page
    sign_in(page, system, "grace-sender")
    page.goto(SEND)
    to = page.get_by_role("combobox", name="To", exact=True)
    expect(to).to_be_focused()
    # The list covers nothing before a key is pressed.
    expect(page.locator("#find-options")).to_be_hidden()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Write a text first.")).to_be_visible()
    expect(to).to_be_focused()
    to.press_sequentially("anna aadams")
    expect(page.locator("#compose", has_text="Choose who gets")).to_have_count(0)
    page.locator("#find-options").get_by_role("option", name="Anna Aadams").click()
    text = page.get_by_label("Text", exact=True)
    expect(text).to_have_attribute("aria-invalid", "true")
    text.fill("H")
    expect(text).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#compose .problem:visible")).to_have_count(0)
    expect(page.locator("#size")).to_have_text("1 character, 1 part")


def test_a_double_click_sends_once(page: Page, system: RunningSystem, grace: Grace) -> None:
    sign_in(page, system, "grace-sender")
    page.goto(f"{SEND}?to=%2B13125550883")
    page.get_by_label("Text", exact=True).fill("Twice?")
    page.get_by_role("button", name="Send", exact=True).dblclick()
    expect(page.locator(".notice")).to_have_text("On its way to 1 person.")
    assert len(grace.texts("Twice?")) == 1


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_and_one_text_is_sent_without_javascript(
    browser: Browser, system: RunningSystem, grace: Grace, width: int
) -> None:
    context = browser.new_context(
        base_url=system.url, java_script_enabled=False, viewport={"width": width, "height": 844}
    )
    page = context.new_page()
    page.goto("/login/?next=/churches/grace/send/")
    page.get_by_label("User name").fill("grace-sender")
    page.locator("input[name=password]").fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("To", exact=True).fill("anna aadams")
    page.get_by_role("button", name="Find").first.click()
    page.get_by_role("button", name="Anna Aadams (312) 555-0882", exact=True).click()
    page.get_by_label("Text", exact=True).fill(f"Plain {width}")
    for part in page.locator("main .card, main input:visible, main textarea, main button").all():
        box = part.bounding_box()
        if box is not None:
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
    page.get_by_role("button", name="Check first").click()
    expect(page.locator(".bubble")).to_have_text([f"Plain {width}"])
    page.get_by_role("button", name="Yes, send it to 1 person").click()
    expect(page.locator(".notice")).to_have_text("On its way to 1 person.")
    assert len(grace.texts(f"Plain {width}")) == 1
    context.close()


def test_a_long_name_does_not_widen_the_page(
    page: Page, system: RunningSystem, grace: Grace
) -> None:
    body = {"first_name": "W" * 100, "last_name": "S" * 100, "phone": "+13125550883"}
    key = grace.post("members/", body)["id"]
    sign_in(page, system, "grace-sender")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{SEND}?member={key}")
    expect(page.locator(".recipient")).to_have_count(1)
    assert not is_too_wide(page)
