"""A realistic load: an import of 5,000 people from a messy CSV and one broadcast to all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.load.processes import resident_megabytes
from tests.support.messy_csv import MessyCsv
from tests.support.running_system import RunningSystem, database_environment
from tests.support.waiting import wait_until

pytestmark = pytest.mark.load

PEOPLE = 5000
FINAL_WITHIN_SECONDS = 600


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    data_dir = tmp_path_factory.mktemp("up")
    countries = "US,DE,GB,GG,FR,AU"  # The countries of the numbers in the CSV.
    with RunningSystem(data_dir, DELIVERY_COUNTRIES=countries, **database_environment()) as running:
        yield running


class Office:
    """An API client of Grace church's owner."""

    def __init__(self, system: RunningSystem) -> None:
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {system.token('grace-owner')}"
        self._base = f"{system.url}/api/v1/churches/grace/"

    def get(self, path: str) -> dict[str, Any]:
        answer = self._session.get(self._base + path, timeout=60)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def broadcast_counts(self, broadcast: dict[str, Any]) -> dict[str, int]:
        counts: dict[str, int] = self.get(f"broadcasts/{broadcast['id']}/")["counts"]
        return counts

    def import_members(self, csv: bytes) -> dict[str, Any]:
        answer = self._session.post(
            f"{self._base}members/import/",
            data=csv,
            headers={"Content-Type": "text/csv"},
            timeout=120,
        )
        answer.raise_for_status()
        report: dict[str, Any] = answer.json()
        return report

    def broadcast(self, text: str) -> dict[str, Any]:
        body = {"text": text, "audience": {"all": True}}
        answer = self._session.post(f"{self._base}broadcasts/", json=body, timeout=120)
        assert answer.status_code == 202, answer.text
        made: dict[str, Any] = answer.json()
        return made


def test_every_valid_number_of_a_messy_csv_is_delivered(
    system: RunningSystem, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(system)
    csv = MessyCsv(people=PEOPLE)
    started = time.monotonic()
    report = office.import_members(csv.content)
    imported = time.monotonic() - started
    assert report["created"] == csv.valid_people
    assert [error["line"] for error in report["errors"]] == csv.broken_lines
    members = office.get("")["members_count"]

    page = browser.new_page(base_url=system.url)
    _sign_in(page, system)
    started = time.monotonic()
    broadcast = office.broadcast(
        "Dear {first_name}, service is at 9 and at 11 this Sunday. {church}"
    )
    accepted = time.monotonic() - started
    assert broadcast["total"] == members
    card = page.locator(f"[data-broadcast='{broadcast['id']}']")
    seen = _follow(card, office, broadcast, started)
    sent = time.monotonic() - started
    wait_until(lambda: office.broadcast_counts(broadcast) == {"delivered": members}, seconds=60)
    done = time.monotonic() - started
    expect(card.locator(".chip")).to_have_text("Done", timeout=5000)
    assert page.evaluate("window.notReloaded")
    assert len(seen) > 3, f"The page showed only {seen}."
    summary = requests.get(f"{system.simulator['control']}/ledger/summary", timeout=30).json()
    with capsys.disabled():
        print(  # noqa: T201 -- the figures are what this run is for
            f"\n{members} members ({report['created']} imported in {imported:.1f} s, "
            f"{len(report['errors'])} broken lines reported); broadcast accepted in {accepted:.2f} s, "
            f"all sent in {sent:.1f} s and delivered in {done:.1f} s = {members / done:.0f} messages/s; "
            f"the page showed {len(seen)} steps: {seen}\nledger: {summary}\n"
            f"memory, MB: {resident_megabytes(system.process.pid)}"
        )


def _sign_in(page: Any, system: RunningSystem) -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill("grace-viewer")
    page.get_by_label("Password").fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/churches/grace/sent/")
    page.wait_for_selector("#link[data-state=live]")
    page.evaluate("window.notReloaded = true")


def _follow(card: Any, office: Office, broadcast: dict[str, Any], started: float) -> list[str]:
    """Wait until no text waits; return the states that the page showed in between."""
    seen: list[str] = []
    while time.monotonic() - started < FINAL_WITHIN_SECONDS:
        card.wait_for()
        state = " ".join(card.locator(".state").inner_text().split())
        if state not in seen:
            seen.append(state)
        if state == "Done":
            return seen
        time.sleep(0.1)
    raise AssertionError(f"Not done: {office.broadcast_counts(broadcast)}")


def test_the_messy_csv_is_the_same_in_every_run() -> None:
    assert MessyCsv(people=50).content == MessyCsv(people=50).content
