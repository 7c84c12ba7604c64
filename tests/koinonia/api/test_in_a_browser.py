"""API documentation, browsable API and admin in a real browser, under our content security policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.accessibility import is_too_wide, serious_faults
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
    # A path without GET answers 405 with the page that sends its POST.
    page.on(
        "console",
        lambda line: (
            told.append(line.text) if line.type == "error" and "405" not in line.text else None
        ),
    )
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


def test_the_documentation_opens_without_an_account_and_tries_an_operation(
    page: Page, system: RunningSystem
) -> None:
    page.goto("/api/docs/")
    operation = page.locator("#operations-me-get_me")
    expect(operation).to_be_visible(timeout=60 * SECONDS)
    expect(page.locator(".opblock").nth(80)).to_be_attached()
    page.get_by_role("link", name="Sign in").click()
    page.locator("[name=username]").fill("grace-owner")
    page.locator("[name=password]").fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{system.url}/api/docs/")
    expect(operation).to_contain_text("Get the user", timeout=60 * SECONDS)
    operation.locator("button.opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(
        ".live-responses-table td:not(.col_header).response-col_status"
    ).first
    expect(answer).to_contain_text("200", timeout=60 * SECONDS)


def test_a_group_is_created_changed_and_deleted_in_the_browsable_api(owner: Page) -> None:
    owner.goto(GROUPS)
    steps = owner.locator(".breadcrumb li").all_inner_texts()
    assert [step.strip() for step in steps] == ["API", "Version 1", "Churches", "Church", "Groups"]
    headers = owner.locator(".response-info dl")
    expect(headers).to_contain_text("etag")
    expect(headers).to_contain_text("x-ratelimit-remaining")
    owner.get_by_role("button", name="POST").click()
    expect(owner.locator(".response-info")).to_contain_text("HTTP 201 Created")
    expect(owner.locator(".response-info pre")).to_contain_text("Bell ringers")
    expect(owner.locator("#answer")).to_be_focused()

    made = headers.locator("dt:text-is('location') + dd").inner_text()
    owner.goto(made)
    form = owner.locator("[name=_content]")
    expect(form).to_contain_text('"name": "Bell ringers"')
    form.fill('{"name": "Ringers"}')
    owner.get_by_role("button", name="PATCH").click()
    expect(owner.locator(".response-info")).to_contain_text("Ringers")

    owner.get_by_label("Yes, with real effects").check()
    owner.get_by_role("button", name="DELETE").click()
    expect(owner.locator(".response-info")).to_contain_text("HTTP 204 No Content")


FORMS = {
    "members/": "HTTP 201",
    "messages/": "HTTP 202",
    "broadcasts/preview/": "HTTP 200",
    "templates/": "HTTP 201",
    "notes/": "HTTP 201",
    "keywords/": "HTTP 201",
    "series/": "HTTP 201",
    "invitations/": "HTTP 201",
}


@pytest.mark.parametrize("path", FORMS)
def test_the_example_of_a_form_can_be_sent_as_it_is(owner: Page, path: str) -> None:
    owner.goto(f"/api/v1/churches/grace/{path}")
    owner.get_by_role("button", name="POST").click()
    expect(owner.locator(".response-info").first).to_contain_text(FORMS[path])


def test_a_file_is_imported_in_the_browsable_api(owner: Page) -> None:
    owner.goto("/api/v1/churches/grace/members/import/")
    table = b"first_name,last_name,phone\nAnna,Lee,+12025550128\n"
    owner.get_by_label("File").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": table}
    )
    owner.get_by_role("button", name="POST").click()
    expect(owner.locator(".response-info pre")).to_contain_text('"created": 1')


PAGES = ["/api/", "/api/v1/", "/api/v1/churches/grace/members/", "/api/v1/me/tokens/", "/api/docs/"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_of_the_api_are_accessible(owner: Page, path: str, width: int) -> None:
    owner.set_viewport_size({"width": width, "height": 800})
    owner.goto(path)
    if path == "/api/docs/":
        expect(owner.locator(".opblock").first).to_be_visible(timeout=60 * SECONDS)
        # The rest of the page is Swagger UI's.
        owner.locator("#swagger-ui").evaluate("place => place.replaceChildren()")
    assert serious_faults(owner) == []
    assert (owner.get_by_role("main").count(), owner.locator("h1").count()) == (1, 1)
    if path != "/api/docs/":
        assert not is_too_wide(owner)


def test_the_admin_logs_nothing_to_the_browser_console(page: Page, system: RunningSystem) -> None:
    sign_in(page, "admin", system.password)
    expect(page.locator("#site-name")).to_have_text("Koinonia")
    page.goto("/admin/koinonia/member/?q=Anna+Adams")
    page.get_by_role("link", name="Anna Adams").first.click()
    page.locator("#id_last_name").fill("Adams-Lee")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("Adams-Lee")
