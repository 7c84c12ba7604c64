"""The frame in Chromium: live parts, drafts, keyboard, and reading without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import sign_in
from tests.support.running_system import RunningSystem

pytestmark = pytest.mark.any_database
SECONDS = 1000
FORM = """<form method="post" data-draft="note">
    <label for="note">Note</label><textarea id="note" name="note"></textarea></form>"""
ADD = """(part) => {
    document.getElementById("main").insertAdjacentHTML("afterbegin", part);
    document.body.dispatchEvent(new CustomEvent("htmx:afterSettle"));
}"""


def _open_with_form(page: Page, part: str = FORM) -> None:
    """Open a page, and add a form to it in the way that htmx does."""
    page.goto("/churches/grace/more/")
    page.wait_for_selector("#link[data-state=live]")
    page.evaluate(ADD, part)


def _hear(system: RunningSystem, text: str, number: str = "") -> None:
    headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}
    base = f"{system.url}/api/v1/churches/grace/"
    member = requests.get(f"{base}members/", headers=headers, timeout=60).json()["results"][0]
    church = requests.get(base, headers=headers, timeout=60).json()
    body = {"from": number or member["phone"], "to": church["phone_number"], "text": text}
    requests.post(
        f"{system.simulator['control']}/inbound", json=body, timeout=10
    ).raise_for_status()


def test_a_reply_is_announced_counted_and_leads_to_its_conversation(
    page: Page, system: RunningSystem
) -> None:
    sign_in(page, system, "grace-viewer")
    page.goto("/churches/grace/more/")
    page.wait_for_selector("#link[data-state=live]")
    before = int(page.locator("#unread").get_attribute("data-unread") or 0)
    _hear(system, "Count me in!")
    notice = page.locator("#notices a")
    expect(notice).to_contain_text("New text from", timeout=60 * SECONDS)
    assert re.fullmatch(r"/churches/grace/inbox/\w+/", notice.get_attribute("href") or "")
    expect(page.locator("#unread")).to_have_attribute("data-unread", str(before + 1))
    expect(page).to_have_title(re.compile(rf"^\({before + 1}\) More"))


def test_a_person_without_a_name_is_announced_by_the_number_as_people_write_it(
    page: Page, system: RunningSystem
) -> None:
    sign_in(page, system, "grace-viewer")
    page.goto("/churches/grace/more/")
    page.wait_for_selector("#link[data-state=live]")
    _hear(system, "Who is this?", "+13125559977")
    notice = page.locator("#notices a")
    expect(notice).to_have_text("New text from (312) 555-9977", timeout=60 * SECONDS)


def test_the_banner_follows_the_support_desk(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-viewer")
    page.goto("/churches/grace/more/")
    page.wait_for_selector("#link[data-state=live]")
    expect(page.locator(".banner")).to_have_count(0)
    system.manage("breaker", "open")
    try:
        expect(page.locator(".banner")).to_contain_text(
            "Your support has stopped all sending.", timeout=60 * SECONDS
        )
    finally:
        system.manage("breaker", "auto")
    expect(page.locator(".banner")).to_have_count(0, timeout=60 * SECONDS)


def test_a_draft_survives_a_reload_and_the_end_of_the_session(
    page: Page, system: RunningSystem
) -> None:
    sign_in(page, system, "grace-sender")
    _open_with_form(page)
    page.get_by_label("Note").fill("The picnic")
    _open_with_form(page)
    expect(page.get_by_label("Note")).to_have_value("The picnic")
    page.context.clear_cookies()
    page.goto("/churches/grace/more/")
    expect(page.get_by_text("Then you come back to the page.")).to_be_visible()
    sign_in(page, system, "grace-sender")
    _open_with_form(page)
    expect(page.get_by_label("Note")).to_have_value("The picnic")


def test_a_draft_ends_when_its_form_was_accepted_or_the_user_signs_out(
    page: Page, system: RunningSystem
) -> None:
    sign_in(page, system, "grace-sender")
    _open_with_form(page)
    page.get_by_label("Note").fill("The picnic")
    _open_with_form(page, '<p data-accepted="note">Saved</p>')
    _open_with_form(page)
    expect(page.get_by_label("Note")).to_have_value("")
    page.get_by_label("Note").fill("The choir")
    page.locator("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert (
        page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('draft:'))") == []
    )


def test_signing_out_closes_the_pages_of_all_tabs(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-sender")
    other = page.context.new_page()
    other.goto("/churches/grace/members/?search=ann")
    other.wait_for_selector("#link[data-state=live]")
    page.goto("/churches/grace/more/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    expect(other.get_by_text("Then you come back to the page.")).to_be_visible()
    assert other.url.endswith("/login/?next=%2Fchurches%2Fgrace%2Fmembers%2F%3Fsearch%3Dann")


def test_the_pages_of_a_removed_colleague_close(browser: Browser, system: RunningSystem) -> None:
    owner = {"Authorization": f"Bearer {system.token('grace-owner')}"}
    guest = {"Authorization": f"Bearer {system.token('hope-owner')}"}
    api = f"{system.url}/api/v1/"
    asked = {"username": "hope-owner", "role": "viewer"}
    requests.post(f"{api}churches/grace/invitations/", headers=owner, json=asked, timeout=60)
    invited = requests.get(f"{api}me/invitations/", headers=guest, timeout=60).json()
    (mine,) = invited["results"]
    requests.post(
        f"{api}me/invitations/{mine['token']}/accept/", headers=guest, timeout=10
    ).raise_for_status()
    # The fixture `page` fails for the 404 that Chromium writes into the console here.
    context = browser.new_context(base_url=system.url)
    page = context.new_page()
    sign_in(page, system, "hope-owner")
    page.goto("/churches/grace/members/")
    page.wait_for_selector("#link[data-state=live]")
    staff = requests.get(f"{api}churches/grace/staff/", headers=owner, timeout=60).json()
    (row,) = [one for one in staff["results"] if one["username"] == "hope-owner"]
    requests.delete(
        f"{api}churches/grace/staff/{row['id']}/", headers=owner, timeout=10
    ).raise_for_status()
    expect(page.get_by_text("There is nothing here")).to_be_visible(timeout=60 * SECONDS)
    context.close()


def test_the_password_can_be_shown(page: Page, system: RunningSystem) -> None:
    page.goto("/login/")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Password")).to_have_attribute("type", "text")
    expect(page.get_by_role("button", name="Show")).to_have_attribute("aria-pressed", "true")


def test_the_keyboard_skips_the_navigation(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-viewer")
    page.goto("/churches/grace/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@pytest.fixture
def plain_page(browser: Browser, system: RunningSystem) -> Iterator[Page]:
    context = browser.new_context(base_url=system.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_the_pages_are_read_without_javascript(plain_page: Page, system: RunningSystem) -> None:
    page = plain_page
    page.goto("/churches/grace/")
    page.get_by_label("User name").fill("grace-owner")
    page.get_by_label("Password").fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    page.get_by_role("link", name="More").click()
    page.get_by_role("link", name="Who did what").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who did what")
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_a_notice_makes_way_for_what_has_the_focus(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-viewer")
    page.set_viewport_size({"width": 320, "height": 256})
    page.goto("/churches/grace/members/")
    page.wait_for_selector("#link[data-state=live]")
    page.evaluate(
        """() => {
            const place = document.getElementById("notices");
            place.insertAdjacentHTML("beforeend", "<p>" + "Your text is on its way. ".repeat(4) + "</p>");
            place.insertAdjacentHTML("beforebegin", `<button id="under" style="position: fixed; bottom: 0">Show</button>`);
        }"""
    )
    page.locator("#under").focus()
    notices = page.locator("#notices")
    expect(notices).to_have_attribute("data-above", "")
    box = notices.bounding_box()
    button = page.locator("#under").bounding_box()
    assert box
    assert button
    assert box["y"] + box["height"] <= button["y"]


def test_a_long_name_in_a_notice_stays_in_the_window(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-viewer")
    page.goto("/churches/grace/members/")
    page.evaluate(
        """() => document.getElementById("notices").insertAdjacentHTML("beforeend", `<p>${"n".repeat(200)}</p>`)"""
    )
    assert page.locator("#notices p").evaluate("one => one.scrollWidth <= one.clientWidth")


def test_a_restart_of_the_server_under_open_pages_loses_and_repeats_nothing(
    rough_page: Page, system: RunningSystem
) -> None:
    send, grace = rough_page, "/churches/grace/"
    headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}
    api = f"{system.url}/api/v1{grace}"
    sign_in(send, system, "grace-sender")
    inbox, thread, sent = (send.context.new_page() for _ in range(3))
    inbox.goto(f"{grace}inbox/")
    thread.goto(f"{grace}inbox/")
    thread.locator("#conversations li a").first.click()
    thread.get_by_label("Reply").fill("Half a reply")
    send.goto(f"{grace}send/?to=%2B13125550177")
    send.get_by_label("Text", exact=True).fill("Half a text")
    groups = requests.get(f"{api}groups/", headers=headers, timeout=30).json()["results"]
    smallest = min(groups, key=lambda one: int(one["members_count"]))
    body = {"text": "On the way", "audience": {"groups": [smallest["id"]]}}
    # These texts wait for their next attempt when the server stops.
    fault = {"fault": "503", "count": 4}
    requests.post(f"{system.simulator['control']}/faults", json=fault, timeout=60)
    made = requests.post(f"{api}broadcasts/", headers=headers, json=body, timeout=30).json()
    sent.goto(f"{grace}sent/broadcasts/{made['id']}/")
    pages = (send, inbox, thread, sent)
    for page in pages:
        page.wait_for_selector("#link[data-state=live]")

    system.stop()
    for page in pages:
        expect(page.locator("#link")).to_have_text(
            "Offline: this page can be out of date", timeout=60 * SECONDS
        )
    send.get_by_role("button", name="Send", exact=True).click()
    expect(send.locator("#notices")).to_contain_text("Nothing you typed is lost. Try again.")
    thread.get_by_role("button", name="Send", exact=True).click()
    expect(thread.locator("#notices")).to_contain_text("Nothing you typed is lost. Try again.")

    system.start()
    for page in pages:
        page.wait_for_selector("#link[data-state=live]", timeout=60 * SECONDS)
    expect(sent.locator("#broadcast")).to_contain_text("Done", timeout=60 * SECONDS)
    found = requests.get(f"{api}broadcasts/{made['id']}/", headers=headers, timeout=30).json()
    assert sum(found["counts"].values()) == made["total"]
    _hear(system, "Still there?")
    expect(inbox.locator("#conversations")).to_contain_text("Still there?", timeout=60 * SECONDS)
    expect(thread.get_by_label("Reply")).to_have_value("Half a reply")
    thread.get_by_role("button", name="Send", exact=True).click()
    expect(thread.locator("#texts li", has_text="Half a reply")).to_have_count(1)
    send.get_by_role("button", name="Send", exact=True).click()
    expect(send.locator("#notices")).to_contain_text("On its way to 1 person.")
    texts = requests.get(f"{api}messages/?direction=outbound", headers=headers, timeout=30).json()
    words = [text["text"] for text in texts["results"]]
    assert (words.count("Half a text"), words.count("Half a reply")) == (1, 1)
