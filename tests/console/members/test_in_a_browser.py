"""The main tasks of the pages of the members, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.console.conftest import sign_in
from tests.support.running_system import RunningSystem

pytestmark = pytest.mark.any_database

MEMBERS = "/churches/grace/members/"
PEOPLE = "first_name,last_name,phone,groups\n" + "".join(
    f"Given{number},Family,31255530{number:02},Altar\n" for number in range(30)
)


@pytest.fixture
def office(page: Page, system: RunningSystem) -> Page:
    sign_in(page, system, "grace-sender")
    return page


@pytest.fixture
def without_script(browser: Browser, system: RunningSystem) -> Iterator[Page]:
    context = browser.new_context(base_url=system.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/?next=" + MEMBERS)
    page.get_by_label("User name").fill("grace-sender")
    page.locator("input[type=password]").fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()


def choose(page: Page, content: str, name: str = "people.csv") -> None:
    page.goto(MEMBERS + "import/")
    file = FilePayload(name=name, mimeType="text/csv", buffer=content.encode())
    page.get_by_label("File of people").set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()


def test_people_are_found_while_typing(office: Page) -> None:
    office.goto(MEMBERS)
    field = office.get_by_label("Name or number")
    field.focus()
    office.keyboard.type("garcia")
    expect(office.locator(".people a").first).to_contain_text("García")
    expect(field).to_be_focused()
    expect(office).to_have_url(re.compile("search=garcia"))
    office.reload()
    expect(field).to_have_value("garcia")


def test_a_file_is_imported_after_a_look(office: Page) -> None:
    choose(office, PEOPLE)
    expect(office.locator("#outcome")).to_contain_text("1 new group is made: Altar")
    office.get_by_label("These people have agreed").check()
    office.get_by_role("button", name="Import 30 people").click()
    expect(office.get_by_role("heading", name="The import is done")).to_be_visible()
    office.get_by_role("link", name="See the members").click()
    office.get_by_label("Name or number").fill("given7")
    expect(office.locator(".people a")).to_have_text(["Given7 Family"])


def test_a_file_is_imported_and_a_member_found_without_script(without_script: Page) -> None:
    page = without_script
    choose(page, "first_name,phone\nIda,3125553101\n")
    page.get_by_label("These people have agreed").check()
    page.get_by_role("button", name="Import 1 person").click()
    expect(page.get_by_role("heading", name="The import is done")).to_be_visible()
    page.goto(MEMBERS)
    page.get_by_label("Name or number").fill("ida")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".people a").first).to_have_text("Ida")


def test_a_draft_comes_back(office: Page) -> None:
    office.goto(MEMBERS + "new/")
    office.get_by_label("First name").fill("Zoë")
    office.reload()
    expect(office.get_by_label("First name")).to_have_value("Zoë")
