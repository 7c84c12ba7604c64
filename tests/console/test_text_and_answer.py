"""Sending texts and reading answers in a real browser, on the whole running system."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import requests
from playwright.sync_api import Page, expect

from delivery.content.encoding import measure
from tests.console.conftest import sign_in
from tests.support.running_system import ROOT, RunningSystem

SECONDS = 1000
TEXT = "Choir practice moves to 7 pm tonight. See you there!"


def test_a_sent_text_appears_as_delivered_without_a_reload(
    page: Page, system: RunningSystem
) -> None:
    sign_in(page, system, "grace-sender")
    page.evaluate("window.notReloaded = true")
    page.get_by_label("To").click()
    page.get_by_role("option", name="+1").first.click()
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Send").click()

    row = page.locator("#messages li", has_text=TEXT)
    expect(row).to_have_attribute("data-status", "delivered", timeout=15 * SECONDS)
    expect(row.locator(".chip")).to_have_text("Delivered ✓")
    assert row.get_attribute("data-message")
    assert page.evaluate("window.notReloaded")


def test_a_broadcast_to_a_group_fills_its_progress_bar(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-owner")
    page.get_by_label("To").click()
    group = page.get_by_role("option", name="group of").first
    group.click()
    page.get_by_label("Text", exact=True).fill(
        "Dear {first_name}, the picnic is on Sunday. {church}"
    )
    page.get_by_role("button", name="Send").click()

    card = page.locator("#broadcasts li").first
    expect(card.locator(".share")).to_have_text("100 %", timeout=30 * SECONDS)
    assert int(card.get_attribute("data-total") or 0) > 1


def test_an_answer_appears_without_a_reload(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-viewer")
    member = _a_member(system)
    answer = requests.post(
        f"{system.simulator['control']}/inbound",
        json={"from": member["phone"], "to": _church_number(system), "text": "Count me in!"},
        timeout=10,
    )
    assert answer.ok, answer.text
    row = page.locator("#messages li", has_text="Count me in!")
    expect(row).to_have_attribute("data-status", "received", timeout=15 * SECONDS)
    expect(row.locator(".name span")).to_have_text(f"{member['first_name']} {member['last_name']}")


def test_an_error_appears_beside_its_field(page: Page, system: RunningSystem) -> None:
    sign_in(page, system, "grace-sender")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#text-problem")).to_be_visible()
    expect(page.locator("#recipient-problem")).to_be_visible()


@pytest.mark.parametrize("text", ["plain", "[" * 81, "\f" * 71, "ß" * 307, "🥗" * 36, "“" * 135])
def test_the_form_measures_a_text_like_the_server(
    page: Page, system: RunningSystem, text: str
) -> None:
    sign_in(page, system, "grace-sender")
    page.get_by_label("Text", exact=True).fill(text)
    measured = measure(text)
    parts = f", {measured.parts} parts" if measured.parts > 1 else ""
    expect(page.locator("#size")).to_have_text(f"{measured.units} characters{parts}")


def _get(system: RunningSystem, path: str) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}
    answer = requests.get(f"{system.url}/api/v1/churches/grace/{path}", headers=headers, timeout=10)
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
