"""The main tasks of the groups in a real browser, on the whole running system."""

from __future__ import annotations

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.console.accessibility import is_too_wide, serious_faults
from tests.support.running_system import RunningSystem

pytestmark = pytest.mark.any_database

BASE = "/churches/grace/"
SECONDS = 1000


def sign_in(page: Page, system: RunningSystem, path: str) -> None:
    page.goto(f"/login/?next={BASE}{path}")
    page.get_by_label("User name").fill("grace-owner")
    page.get_by_label("Password", exact=True).fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#link[data-state=live]", state="attached")


def test_people_join_a_group_by_a_click_and_by_a_word(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "groups/")
    page.get_by_role("link", name="Make a group").click()
    page.get_by_label("Name", exact=True).fill("Ushers")
    page.get_by_role("button", name="Make the group").click()

    page.get_by_label("Name or number").press_sequentially("Zoë Adams")
    page.get_by_label("Zoë Adams").check(timeout=60 * SECONDS)
    page.get_by_role("button", name="Add the marked people").click()
    members = page.locator("#members")
    expect(members.get_by_role("link", name="Zoë Adams")).to_be_visible()

    page.get_by_role("link", name="Let people join by a keyword").click()
    expect(page.get_by_label("Group", exact=True).locator("option:checked")).to_have_text("Ushers")
    page.get_by_label("Word").fill("USHER")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Whoever texts USHER joins Ushers now.")).to_be_visible()

    page.get_by_role("link", name="Ushers").click()
    page.wait_for_selector("#link[data-state=live]", state="attached")
    person = {"from": "+13125559876", "to": "+13125550001", "text": "Usher!"}
    requests.post(
        f"{system.simulator['control']}/inbound", json=person, timeout=10
    ).raise_for_status()
    # The list follows the event, without a reload.
    expect(members.get_by_role("link", name="(312) 555-9876")).to_be_visible(timeout=60 * SECONDS)
    page.set_viewport_size({"width": 390, "height": 844})
    assert serious_faults(page) == []
    assert not is_too_wide(page)
    members.get_by_role("button", name="Remove Zoë Adams").click()
    expect(members.get_by_role("link", name="Zoë Adams")).to_have_count(0)
