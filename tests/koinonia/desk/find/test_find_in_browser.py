"""Support finds a text, looks at it and acts, in a browser: by keyboard, on a phone, in the dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from delivery.providers.telnyx.simulator.numbers import NUMBER_OF
from tests.console.accessibility import is_too_wide, serious_faults
from tests.support.running_system import RunningSystem, database_environment

pytestmark = pytest.mark.any_database

WORDS, NUMBER = "Practice is at seven, dear Ruth.", "(312) 555-0177"
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    with RunningSystem(tmp_path_factory.mktemp("up"), **database_environment()) as running:
        for number in ("+13125550177", NUMBER_OF["40310"]):
            send(running, number)
        yield running


def send(system: RunningSystem, number: str) -> None:
    headers = {"Authorization": f"Bearer {system.token('grace-sender')}"}
    url = f"{system.url}/api/v1/churches/grace/messages/"
    body = {"to": number, "text": WORDS}
    requests.post(url, json=body, headers=headers, timeout=30).raise_for_status()


@pytest.fixture
def page(browser: Browser, system: RunningSystem) -> Iterator[Page]:
    yield from signed_in(browser, system, viewport={"width": 1280, "height": 900})


@pytest.fixture
def phone(browser: Browser, system: RunningSystem) -> Iterator[Page]:
    size = {"width": 390, "height": 844}
    yield from signed_in(browser, system, viewport=size, color_scheme="dark")


def signed_in(browser: Browser, system: RunningSystem, **options: Any) -> Iterator[Page]:
    context = browser.new_context(base_url=system.url, **options)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.goto("/admin/login/?next=/admin/find/")
    page.fill("#id_username", "support")
    page.fill("#id_password", system.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Find a text")).to_be_visible()
    yield page
    context.close()
    assert problems == []


def first_row(page: Page) -> Any:
    return page.locator(".find-table tbody tr").first


def find(page: Page, words: str) -> None:
    page.get_by_label("Number or id").fill(words)
    page.keyboard.press("Enter")
    expect(first_row(page)).to_be_visible()


def wait_for_state(page: Page, state: str) -> None:
    """Reload until the text has this state: the pages of support show the moment of their request."""
    for _ in range(60):
        if page.locator(".find-why .find-chip").inner_text() == state:
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"The text has not become {state!r}.")


def test_a_text_is_found_by_keyboard_and_shown_after_a_click(page: Page) -> None:
    find(page, NUMBER)
    assert "5550177" not in page.url
    expect(first_row(page)).to_contain_text("+131•••••177")
    first_row(page).get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Calls to the provider")).to_be_visible()
    wait_for_state(page, "Delivered ✓")
    expect(page.locator("#find-told + ul")).to_contain_text("message.status: delivered")
    expect(page.get_by_text(WORDS)).to_have_count(0)
    page.get_by_role("button", name="Show number and words").press("Enter")
    expect(page.get_by_text(WORDS)).to_be_visible()
    expect(page.get_by_text("+13125550177")).to_be_visible()
    page.go_back()
    expect(page.get_by_text(WORDS)).to_have_count(0)
    expect(page.locator("main")).to_contain_text("support: Support looked at the number")


def test_a_dead_letter_is_explained_and_retried(page: Page) -> None:
    find(page, NUMBER_OF["40310"])
    first_row(page).get_by_role("link").click()
    wait_for_state(page, "Could not be sent")
    expect(page.locator(".find-why")).to_contain_text("What to do:")
    expect(page.get_by_label("To tell the church:")).to_have_value(
        re.compile(r"^Your text to \+\d{3}•+")
    )
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".messagelist")).to_contain_text("in the queue again")
    wait_for_state(page, "Could not be sent")
    page.get_by_label("Reason").fill("The number is wrong")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator(".find-why")).to_contain_text("a person discarded it")


def test_the_pages_fit_a_phone_in_the_dark(phone: Page) -> None:
    assert not is_too_wide(phone)
    find(phone, NUMBER)
    assert not is_too_wide(phone)
    assert serious_faults(phone) == []
    first_row(phone).get_by_role("link").click()
    wait_for_state(phone, "Delivered ✓")
    phone.locator("summary").first.click()
    assert not is_too_wide(phone)
    assert serious_faults(phone) == []


def test_a_webhook_event_is_read_and_replayed(page: Page) -> None:
    find(page, NUMBER)
    first_row(page).get_by_role("link").click()
    wait_for_state(page, "Delivered ✓")
    page.locator("summary").first.click()
    page.locator(".find-report a").first.click()
    expect(page.locator(".letter-payload")).to_contain_text('"text": "[hidden: 32 characters]"')
    assert serious_faults(page) == []
    page.get_by_role("button", name="Replay").click()
    expect(page.locator(".messagelist")).to_contain_text("Workers apply again: 1.")
