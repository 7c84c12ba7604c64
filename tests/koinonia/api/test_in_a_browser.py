"""API documentation, browsable API and admin in a real browser, under our content security policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.running_system import RunningSystem

pytestmark = pytest.mark.any_database

GROUPS = "/api/v1/churches/grace/groups/"
SECONDS = 1000


@pytest.fixture
def page(browser: Browser, system: RunningSystem) -> Iterator[Page]:
    """Open a page. The test fails on the first console message, such as a policy violation."""
    context = browser.new_context(base_url=system.url)
    page = context.new_page()
    told: list[str] = []
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("console", lambda line: told.append(line.text) if line.type == "error" else None)
    yield page
    page.wait_for_load_state("networkidle")
    context.close()
    assert told == []


def sign_in(page: Page, username: str, password: str) -> None:
    """Sign in on the admin's page; the session is valid on all pages."""
    page.goto("/admin/login/")
    page.locator("[name=username]").fill(username)
    page.locator("[name=password]").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture
def owner(page: Page, system: RunningSystem) -> Page:
    page.goto("/login/?next=/api/v1/me/")
    page.locator("[name=username]").fill("grace-owner")
    page.locator("[name=password]").fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{system.url}/api/v1/me/")
    return page


def test_the_documentation_lists_the_operations_and_tries_one(owner: Page) -> None:
    owner.goto("/api/docs/")
    expect(owner.locator(".opblock").first).to_be_visible(timeout=20 * SECONDS)
    assert owner.locator(".opblock").count() > 40
    operation = owner.locator("#operations-me-me_retrieve")
    operation.locator("button.opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(
        ".live-responses-table td:not(.col_header).response-col_status"
    ).first
    expect(answer).to_contain_text("200", timeout=10 * SECONDS)


def test_a_group_is_created_changed_and_deleted_in_the_browsable_api(owner: Page) -> None:
    owner.goto(GROUPS)
    steps = owner.locator(".breadcrumb li").all_inner_texts()
    assert [step.strip() for step in steps] == ["Churches", "Church", "Groups"]
    owner.locator("[name=_content]").fill('{"name": "Bell ringers"}')
    owner.get_by_role("button", name="POST").click()
    expect(owner.locator(".response-info")).to_contain_text("HTTP 201 Created")

    made = owner.locator(".response-info a").first.get_attribute("href")
    owner.goto(made or "")
    form = owner.locator("[name=_content]")
    expect(form).to_have_value('{\n    "name": "Bell ringers",\n    "welcome_text": ""\n}')
    form.fill('{"name": "Ringers"}')
    owner.get_by_role("button", name="PATCH").click()
    expect(owner.locator(".response-info")).to_contain_text("Ringers")

    owner.goto(made or "")
    owner.get_by_role("button", name="DELETE").click()
    owner.locator("#deleteModal .btn-danger").click()
    expect(owner.locator(".response-info")).to_contain_text("HTTP 204 No Content")


def test_the_admin_logs_nothing_to_the_browser_console(page: Page, system: RunningSystem) -> None:
    sign_in(page, "admin", system.password)
    expect(page.locator("#site-name")).to_have_text("Koinonia")
    page.goto("/admin/koinonia/member/?q=Anna+Adams")
    page.get_by_role("link", name="Anna Adams").first.click()
    page.locator("#id_last_name").fill("Adams-Lee")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("Adams-Lee")
