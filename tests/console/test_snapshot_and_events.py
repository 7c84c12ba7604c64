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
SAME_MOMENT = 12
"""A broadcast to eight members, and further messages of the same moment."""
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


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("way", ["live", "polling"])
def test_a_snapshot_plus_its_events_equals_a_new_snapshot(
    sight: Page, system: RunningSystem, proxy: ChaosProxy, way: str, seed: int
) -> None:
    office = Office(system, "grace-sender", (way, seed))
    for _ in range(5):
        office.act()
    _sign_in_by(way, sight, system)
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
    sight.wait_for_function("(head) => copiedUpTo() >= head", arg=head)
    assert sight.evaluate("copyStates.at(-1)") == way
    assert sight.evaluate("copy.shown()") == sight.evaluate("freshlyShown('grace')")
    _see_the_same(sight, office)


def _sign_in_by(way: str, page: Page, system: RunningSystem) -> None:
    if way == "polling":
        page.add_init_script(NO_SOCKETS)
    sign_in(page, system, "grace-sender", state=way)


def _see_the_same(page: Page, office: Office) -> None:
    """Wait until the console's list equals the list after a reload.

    Ignore the order of messages from the same moment: a reload sorts by id, which PostgreSQL assigns
    before the commit, and events arrive in the order of the commits.
    """
    results = office.get("messages/?page_size=50")["results"]
    fresh = [(message["id"], message["status"]) for message in results]
    seen = "rows => rows.map(({ dataset }) => [dataset.message, dataset.status])"

    def the_same() -> bool:
        shown = [tuple(row) for row in page.eval_on_selector_all("#messages li", seen)][:50]
        place = {row: number for number, row in enumerate(fresh)}
        moved = [abs(place[row] - number) for number, row in enumerate(shown) if row in place]
        return (
            set(shown[:-SAME_MOMENT]) <= set(fresh)
            and set(fresh[:-SAME_MOMENT]) <= set(shown)
            and max(moved) <= SAME_MOMENT
        )

    wait_until(the_same)


def test_a_late_answer_does_not_undo_newer_events(page: Page, system: RunningSystem) -> None:
    office = Office(system, "grace-sender", "overtaken")
    sign_in(page, system, "grace-sender")
    held: list[Route] = []
    answers: list[APIResponse] = []

    def hold(route: Route) -> None:
        answers.append(route.fetch())
        held.append(route)

    page.route("**/messages/?direction=outbound", hold)
    page.get_by_role("button", name="Sent").click()
    page.wait_for_function("() => true")
    while not held:
        page.wait_for_timeout(50)
    text = office.post("messages/", {"to": "+13125550177", "text": "Overtaken"})
    row = page.locator(f"#messages li[data-message='{text['id']}']")
    expect(row).to_have_attribute("data-status", "delivered", timeout=15 * SECONDS)
    held[0].fulfill(response=answers[0])
    expect(page.get_by_role("button", name="Sent")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function('() => !document.querySelector("#messages li:not([data-status])")')
    page.wait_for_load_state("networkidle")
    expect(row).to_have_attribute("data-status", "delivered")


def test_a_page_without_its_first_answer_reloads_itself(sight: Page, system: RunningSystem) -> None:
    text = Office(system, "grace-sender", "lost").post(
        "messages/", {"to": "+13125550178", "text": "Lost at first"}
    )
    lost: list[Route] = []

    def lose(route: Route) -> None:
        lost.append(route)
        route.abort() if len(lost) < 3 else route.continue_()

    sight.route("**/api/v1/churches/grace/messages/", lose)
    sign_in(sight, system, "grace-sender")
    row = sight.locator(f"#messages li[data-message='{text['id']}']")
    expect(row).to_have_attribute("data-status", "delivered", timeout=30 * SECONDS)
    expect(sight.locator("#list-problem")).to_be_hidden()
    assert len(lost) >= 3
