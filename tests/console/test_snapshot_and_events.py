"""The realtime guarantee: a snapshot plus its events equals a new snapshot, despite a bad network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.console.conftest import sign_in
from tests.console.random_actions import Office
from tests.realtime.chaos_proxy import ChaosProxy
from tests.support.running_system import ROOT, RunningSystem, database_environment
from tests.support.waiting import wait_until

COPY = (ROOT / "tests/console/copy.js").read_text()
ACTIONS = 40
TEXTS = "/churches/grace/sent/texts/"
TIMING = {"base": 50, "cap": 400, "connect": 1500, "stable": 1000, "restart": 200, "wait": 3000}
NO_SOCKETS = "WebSocket = class { constructor() { setTimeout(() => this.onclose({ code: 1006 }), 10) } close() {} }"
SECONDS = 1000


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """Run the system with short retries and without rate limits, because random actions are fast."""
    impatient = {"DELIVERY_RETRY_DELAYS": "0.2,0.3,0.4", "THROTTLING_ENABLED": "0"}
    data_dir = tmp_path_factory.mktemp("up")
    with RunningSystem(data_dir, **impatient, **database_environment()) as running:
        yield running


@pytest.fixture
def proxy(system: RunningSystem) -> Iterator[ChaosProxy]:
    with ChaosProxy(int(system.url.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.fixture
def sight(browser: Browser, proxy: ChaosProxy) -> Iterator[Page]:
    """Open a page behind a bad network. Errors in its console are expected."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{proxy.port}")
    page = context.new_page()
    page.set_default_timeout(40 * SECONDS)
    yield page
    context.close()


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.chaos)])
@pytest.mark.parametrize("way", ["live", "polling"])
def test_a_snapshot_plus_its_events_equals_a_new_snapshot(
    sight: Page, system: RunningSystem, proxy: ChaosProxy, way: str, seed: int
) -> None:
    office = Office(system, "grace-sender", (way, seed))
    for _ in range(5):
        office.act()
    _sign_in_by(way, sight, system)
    sight.goto(TEXTS)
    sight.wait_for_selector(f"#link[data-state={way}]")
    sight.evaluate(COPY)
    client = sight.locator("#console").get_attribute("data-realtime")
    sight.evaluate("([client, timing]) => keep('grace', client, timing)", [client, TIMING])
    for deed in range(ACTIONS):
        office.act()
        if deed == ACTIONS // 3:
            proxy.reset()
        if deed == ACTIONS // 2:
            proxy.truncate(after=99)
    head = office.rest()
    wait_until(lambda: sight.evaluate("copiedUpTo()") >= head, pause=0.05)
    assert sight.evaluate("copyStates.at(-1)") == way
    found = wait_until(lambda: sight.evaluate("differences('grace')"), pause=0.05)
    assert found == {"copy": [], "fresh": []}
    _see_the_same(sight)


def _sign_in_by(way: str, page: Page, system: RunningSystem) -> None:
    if way == "polling":
        page.add_init_script(NO_SOCKETS)
    sign_in(page, system, "grace-sender", state=way)


SHOWN = """(page) => [...page.querySelectorAll("li[data-message]")]
    .map(({dataset}) => [dataset.message, dataset.status])"""
FRESH = f"""async () => {{
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return ({SHOWN})(page);
}}"""


def _see_the_same(page: Page) -> None:
    """Wait until the page's list equals the list of a reload."""

    def the_same() -> bool:
        shown = page.evaluate(f"() => ({SHOWN})(document)")
        return bool(shown) and shown == page.evaluate(FRESH)

    wait_until(the_same)


def _open_the_texts(page: Page) -> None:
    page.goto(TEXTS)
    page.wait_for_selector("#link[data-state=live]")


def test_a_late_answer_does_not_undo_newer_events(page: Page, system: RunningSystem) -> None:
    office = Office(system, "grace-sender", "overtaken")
    sign_in(page, system, "grace-sender")
    _open_the_texts(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held or route.request.headers.get("hx-request") != "true":
            route.continue_()
        else:
            held.append(route)
            answers.append(route.fetch())

    answers: list[APIResponse] = []
    page.route(f"**{TEXTS}", hold)
    text = office.post("messages/", {"to": "+13125550177", "text": "Overtaken"})
    while not answers:
        page.wait_for_timeout(50)
    office.rest()
    # The events of the delivery have arrived by now, and this answer is older.
    held[0].fulfill(response=answers[0])
    row = page.locator(f"li[data-message='{text['id']}']")
    expect(row).to_have_attribute("data-status", "delivered", timeout=15 * SECONDS)


@pytest.mark.parametrize("failure", ["lost", "cut off"])
def test_a_part_without_its_answer_is_renewed_again(
    sight: Page, system: RunningSystem, failure: str
) -> None:
    """Simulate a cut in the headers as Chromium reports it over plain HTTP: 200 and empty."""
    failed: list[Route] = []

    def fail(route: Route) -> None:
        if route.request.headers.get("hx-request") != "true" or len(failed) >= 2:
            route.continue_()
            return
        failed.append(route)
        if failure == "lost":
            route.abort()
        else:
            route.fulfill(status=200, body="")

    sign_in(sight, system, "grace-sender")
    _open_the_texts(sight)
    sight.route(f"**{TEXTS}", fail)
    text = Office(system, "grace-sender", failure).post(
        "messages/", {"to": "+13125550178", "text": "Lost at first"}
    )
    row = sight.locator(f"li[data-message='{text['id']}']")
    expect(row).to_have_attribute("data-status", "delivered", timeout=30 * SECONDS)
    assert len(failed) == 2
