"""The tasks of the support desk in a browser, and their failures."""

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

DESK, LETTERS = "/admin/", "/admin/delivery/deadletter/"
STOPS, BREAKER = "/admin/delivery/tenantstop/", "/admin/delivery/breakertransition/"
SLOWDOWNS = "/admin/delivery/slowdown/"
PATIENCE_MS = 60_000
NOT_A_FAULT = re.compile("Failed to load resource")
"""Chromium's line for a 422, and for a request that a test lets fail."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    with RunningSystem(tmp_path_factory.mktemp("up"), **database_environment()) as running:
        yield running


@pytest.fixture
def page(browser: Browser, system: RunningSystem) -> Iterator[Page]:
    yield from _page(browser, system, "support", viewport={"width": 1280, "height": 900})


@pytest.fixture
def phone(browser: Browser, system: RunningSystem) -> Iterator[Page]:
    size = {"width": 390, "height": 844}
    yield from _page(browser, system, "support", viewport=size, color_scheme="dark")


def _page(browser: Browser, system: RunningSystem, username: str, **options: Any) -> Iterator[Page]:
    context = browser.new_context(base_url=system.url, **options)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.goto(f"/admin/login/?next={DESK}")
    page.fill("#id_username", username)
    page.fill("#id_password", system.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".desk-verdict")).to_be_visible()
    yield page
    context.close()
    assert [line for line in problems if not NOT_A_FAULT.match(line)] == []


def text_that_dies(system: RunningSystem, code: str = "40310") -> None:
    """Send a text that the simulator refuses for good."""
    headers = {"Authorization": f"Bearer {system.token('grace-sender')}"}
    body = {"to": NUMBER_OF[code], "text": "Practice is at seven."}
    url = f"{system.url}/api/v1/churches/grace/messages/"
    requests.post(url, json=body, headers=headers, timeout=30).raise_for_status()


def test_the_desk_tells_of_a_new_dead_letter_and_leads_to_it(
    page: Page, system: RunningSystem
) -> None:
    good = "Nothing is wrong: texts go out."
    expect(page.locator(".desk-verdict strong")).to_have_text(good, timeout=PATIENCE_MS)
    page.locator("#table-days summary").click()
    text_that_dies(system)
    verdict = page.locator(".desk-verdict strong")
    expect(verdict).to_have_text("1 text died in the last hour.", timeout=PATIENCE_MS)
    expect(page.locator("#table-days[open]")).to_be_visible()
    page.locator("[data-part=letters]").get_by_role("link", name="40310").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_a_bulk_retry_shows_a_forecast_its_progress_and_its_result(
    page: Page, system: RunningSystem
) -> None:
    text_that_dies(system)
    page.goto(LETTERS)
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option("retry_selected")
    page.get_by_role("button", name="Go").click()
    expect(
        page.get_by_text("go back into the queue").or_(page.get_by_text("goes back"))
    ).to_be_visible()
    page.get_by_label("Note for the list").fill("After the number was corrected")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".run-result")).to_contain_text("dead again: 40310", timeout=PATIENCE_MS)
    expect(page.get_by_text("This retry is over.")).to_be_visible()
    page.get_by_role("link", name="All retries").click()
    expect(page.locator("#result_list")).to_contain_text("dead again: 40310")


def test_a_church_is_stopped_with_a_reason_and_its_office_reads_it(
    page: Page, browser: Browser, system: RunningSystem
) -> None:
    page.goto(f"{STOPS}add/")
    page.get_by_label("Name of the church").fill("grace")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Grace Church").click()
    page.get_by_role("button", name="Stop sending").click()
    expect(page.get_by_text("Give a reason")).to_be_visible()
    page.get_by_label("Reason").fill("The office asked us.")
    page.get_by_label("Ends:", exact=True).select_option(label="In 1 hour")
    page.get_by_role("button", name="Stop sending").click()
    expect(page.locator("#result_list")).to_contain_text("The office asked us.")
    office = browser.new_context(base_url=system.url)
    console = office.new_page()
    console.goto("/login/")
    console.get_by_label("User name").fill("grace-sender")
    console.get_by_label("Password", exact=True).fill(system.password)
    console.get_by_role("button", name="Sign in").click()
    told = console.get_by_text("Your support has stopped the texts of your church until")
    expect(told).to_be_visible()
    page.get_by_role("link", name="Start again").click()
    page.get_by_label("Reason").fill("It is settled.")
    page.get_by_role("button", name="Start sending").click()
    expect(page.locator("#result_list")).to_contain_text("It is settled.")
    expect(told).to_be_hidden(timeout=PATIENCE_MS)
    office.close()


def test_an_account_is_slowed_and_each_open_page_of_the_office_says_so(
    page: Page, browser: Browser, system: RunningSystem
) -> None:
    office = browser.new_context(base_url=system.url)
    console = office.new_page()
    console.goto("/login/")
    console.get_by_label("User name").fill("grace-sender")
    console.get_by_label("Password", exact=True).fill(system.password)
    console.get_by_role("button", name="Sign in").click()
    told = console.get_by_text("Your support lets texts go out more slowly until")
    page.get_by_role("link", name="Slow down").click()
    page.get_by_label("Parts a second").fill("1000000")
    page.get_by_label("Reason").fill("The carrier asked us.")
    page.get_by_role("button", name="Slow down").click()
    expect(page.get_by_text("parts a second: choose less")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("The carrier asked us.")
    page.get_by_label("Parts a second").fill("2")
    page.get_by_role("button", name="Slow down").click()
    expect(page.locator("#result_list")).to_contain_text("The carrier asked us.")
    expect(told).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="Usual pace again").click()
    page.get_by_label("Reason").fill("It is settled.")
    page.get_by_role("button", name="Usual pace again").click()
    expect(page.locator("#result_list")).to_contain_text("It is settled.")
    expect(told).to_be_hidden(timeout=PATIENCE_MS)
    office.close()


def test_all_calls_are_stopped_and_started_by_keyboard_alone(page: Page) -> None:
    page.get_by_role("link", name="Stop all calls").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("wait now.")).to_be_visible()
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Telnyx works on it.")
    page.keyboard.press("Enter")
    expect(page.locator(".letter-why[data-tone=bad]")).to_contain_text("support stopped all calls")
    page.goto(DESK)
    expect(page.locator(".desk-verdict[data-tone=bad]")).to_contain_text("Telnyx works on it.")
    page.get_by_role("link", name="Automatic again").press("Enter")
    page.keyboard.type("It is over.")
    page.keyboard.press("Enter")
    expect(page.locator(".letter-why[data-tone=good]")).to_be_visible()


def test_a_desk_without_a_server_or_a_login_says_so(page: Page) -> None:
    page.clock.install()
    page.goto(DESK)
    state = page.locator("[data-renew-state]")
    page.route("**/desk/overview/", lambda route: route.abort())
    page.clock.run_for(6_000)
    expect(state).to_contain_text("The server does not answer")
    page.unroute("**/desk/overview/")
    page.clock.run_for(12_000)
    expect(state).to_have_text("")
    page.context.clear_cookies()
    page.clock.run_for(6_000)
    expect(state).to_contain_text("You are signed out")


PAGES = [
    DESK, LETTERS, f"{LETTERS}?discarded=all", STOPS, f"{STOPS}add/?q=grace", f"{STOPS}add/?tenant=1",
    BREAKER, f"{BREAKER}order/?order=open", "/admin/delivery/retryrun/",
]  # fmt: skip

ADMIN_PAGES = [
    SLOWDOWNS, f"{SLOWDOWNS}add/?q=grace", f"{SLOWDOWNS}add/?provider=telnyx", f"{SLOWDOWNS}add/?tenant=1",
    "/admin/delivery/optout/", "/admin/delivery/webhookevent/", "/admin/delivery/webhookevent/?unmatched=yes",
    "/admin/koinonia/alert/", "/admin/delivery/spendlimit/", "/admin/delivery/spendlimit/add/",
    "/admin/delivery/stoprequest/", "/admin/throttling/allowance/", "/admin/throttling/allowance/add/",
    "/admin/throttling/throttlestate/?name=grace-sender", f"{BREAKER}order/?order=auto",
    "/admin/koinonia/church/", "/admin/koinonia/church/1/change/", "/admin/koinonia/staff/",
    "/admin/koinonia/sendingnumber/", "/admin/koinonia/member/", "/admin/koinonia/group/",
    "/admin/koinonia/keyword/", "/admin/koinonia/invitation/", "/admin/auth/user/", "/admin/auth/group/",
    "/admin/password_change/",
]  # fmt: skip
"""The list omits forms with faults of Django: of its select2 boxes (staff, member, group, invitation) and of its
two lists of permissions (user, group of users)."""
WITH_A_ROW = [
    "/admin/delivery/optout/", "/admin/delivery/webhookevent/", "/admin/koinonia/alert/",
]  # fmt: skip
"""The first row of each of these lists opens a page."""
ROWS = """
from datetime import timedelta
from django.utils import timezone
from delivery.models import OptOut, WebhookEvent
from koinonia.models import Alert, Church
from throttling.models import Allowance
now = timezone.now()
OptOut.objects.create(tenant=Church.objects.first(), number="+13125550199", source="staff", created_at=now)
Alert.objects.create(
    key="breaker:telnyx", rule="breaker", since=now, seen_at=now, said_at=now,
    sentence="Telnyx fails: calls to it are stopped, and texts wait.", what_to_do="Look at the provider's status page.",
)
WebhookEvent.objects.create(
    event_id="1", event_type="message.sent", occurred_at=now, received_at=now, due_at=now, payload={}
)
Allowance.objects.create(network="203.0.113.9/32", note="The office.")
"""


def faults(page: Page, paths: list[str]) -> dict[str, list[str]]:
    """Return what axe finds and whether a page scrolls sideways, by path."""
    found = {}
    for path in paths:
        page.goto(path)
        wide = ["The page scrolls sideways."] if is_too_wide(page) else []
        found[path] = serious_faults(page) + wide
    return {path: some for path, some in found.items() if some}


def faults_behind(page: Page, lists: list[str]) -> dict[str, list[str]]:
    """Return what axe finds on the page of the first row of each list."""
    found = {}
    for path in lists:
        page.goto(path)
        page.locator("#result_list tbody th a").first.click()
        found[f"{path}…"] = serious_faults(page)
    return {path: some for path, some in found.items() if some}


def test_the_pages_are_accessible_on_a_phone_in_the_dark(
    phone: Page, system: RunningSystem
) -> None:
    text_that_dies(system)
    expect(phone.locator("[data-part=letters]")).to_contain_text("40310", timeout=PATIENCE_MS)
    assert faults(phone, PAGES) == {}
    assert faults_behind(phone, [LETTERS]) == {}


def test_the_pages_are_accessible_on_a_desk(page: Page) -> None:
    assert faults(page, PAGES[:3]) == {}


def test_every_page_of_the_admin_that_is_ours_is_accessible(
    browser: Browser, system: RunningSystem
) -> None:
    system.manage("shell", "-c", ROWS)
    dark_phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    wide: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
    for page in _page(browser, system, "admin", **dark_phone):
        assert faults(page, ADMIN_PAGES) == {}
        assert faults_behind(page, WITH_A_ROW) == {}
    for page in _page(browser, system, "admin", **wide):
        # The colours differ from those on the phone; labels and roles are the same.
        assert faults(page, ADMIN_PAGES[:9]) == {}
        assert faults_behind(page, WITH_A_ROW) == {}


def test_the_desk_is_read_without_javascript(browser: Browser, system: RunningSystem) -> None:
    for page in _page(browser, system, "support", java_script_enabled=False):
        expect(page.get_by_role("heading", name="Provider accounts")).to_be_visible()
