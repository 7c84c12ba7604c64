"""Sending texts and reading answers in a real browser, on the whole running system."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from delivery.content.encoding import measure
from tests.console.conftest import sign_in
from tests.support.running_system import ROOT, RunningSystem

pytestmark = pytest.mark.any_database

SECONDS = 1000
TEXT = "Choir practice moves to 7 pm tonight. See you there!"


def choose(page: Page, words: str, option: str) -> None:
    """Find a recipient by words, and choose the line that shows ``option``."""
    page.get_by_role("combobox", name="To", exact=True).fill(words)
    page.get_by_role("option", name=option).first.click()


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()


def test_a_sent_text_is_delivered_before_the_eyes_of_the_office(
    page: Page, system: RunningSystem
) -> None:
    member = _a_member(system)
    sign_in(page, system, "grace-sender")
    page.goto("/churches/grace/send/")
    name = f"{member['first_name']} {member['last_name']}"
    choose(page, name, name)
    page.get_by_label("Text", exact=True).fill(TEXT)
    send(page)
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.evaluate("window.notReloaded = true")
    expect(page.locator("#text .chip").first).to_have_text("Delivered ✓", timeout=60 * SECONDS)
    assert page.evaluate("window.notReloaded")


def test_a_broadcast_to_a_group_fills_its_bar(page: Page, system: RunningSystem) -> None:
    group = _get(system, "groups/?page_size=1")["results"]
    assert isinstance(group, list)
    sign_in(page, system, "grace-owner")
    page.goto("/churches/grace/send/")
    choose(page, group[0]["name"], group[0]["name"])
    page.get_by_label("Text", exact=True).fill(
        "Dear {first_name}, the picnic is on Sunday. {church}"
    )
    send(page)
    if group[0]["members_count"] > 50:
        page.get_by_role("button", name="Yes, send it").click()
    expect(page.locator("#broadcast")).to_contain_text("Done", timeout=60 * SECONDS)


def test_an_answer_appears_without_a_reload(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-viewer")
    page.goto("/churches/grace/inbox/")
    page.wait_for_selector("#link[data-state=live]")
    member = _a_member(system)
    answer = requests.post(
        f"{system.simulator['control']}/inbound",
        json={"from": member["phone"], "to": _church_number(system), "text": "Count me in!"},
        timeout=60,
    )
    assert answer.ok, answer.text
    row = page.locator("#conversations li", has_text="Count me in!")
    expect(row).to_contain_text(
        f"{member['first_name']} {member['last_name']}", timeout=60 * SECONDS
    )


def test_an_error_appears_beside_its_field(browser: Browser, system: RunningSystem) -> None:
    # Chromium writes the 422 into its console.
    with browser.new_context(base_url=system.url) as context:
        page = context.new_page()
        sign_in(page, system, "grace-sender")
        page.goto("/churches/grace/send/")
        send(page)
        for name in ("find", "text"):
            field = page.locator(f"#id_{name}")
            expect(field).to_have_attribute("aria-invalid", "true")
            expect(page.locator(f"#id_{name}_error")).to_be_visible()


def test_the_form_measures_a_text_like_the_server(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-sender")
    page.goto("/churches/grace/send/")
    for text in ("plain", "[" * 81, "\f" * 71, "ß" * 307, "🥗" * 36, "“" * 135, "x" * 1234):
        page.get_by_label("Text", exact=True).fill(text)
        measured = measure(text)
        size = page.locator("#size")
        expect(size).to_contain_text(f"{measured.units:,}")
        if measured.parts > 1:
            expect(size).to_contain_text(f"{measured.parts} parts")


def _get(system: RunningSystem, path: str) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}
    answer = requests.get(f"{system.url}/api/v1/churches/grace/{path}", headers=headers, timeout=60)
    answer.raise_for_status()
    body: dict[str, object] = answer.json()
    return body


def _a_member(system: RunningSystem) -> dict[str, str]:
    results = _get(system, "members/?page_size=1")["results"]
    assert isinstance(results, list)
    member: dict[str, str] = results[0]
    return member


def _church_number(system: RunningSystem) -> str:
    return str(_get(system, "")["phone_number"])


def test_the_smoke_test_of_a_deployed_system_passes(system: RunningSystem) -> None:
    given = {
        "SMOKE_USER": "hope-owner",
        "SMOKE_PASSWORD": system.password,
        "SMOKE_TO": "+13125550142",
    }
    run = subprocess.run(
        [sys.executable, "-m", "tests.smoke", system.url],
        env={**os.environ, **given}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("ok  ") == 5
