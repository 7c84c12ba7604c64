"""A page in the state "live" or "polling" has all events; otherwise it shows another state."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Route

from tests.realtime.browser.conftest import TIMING, OpenTab, Tab
from tests.realtime.browser.test_client import NO_SOCKETS
from tests.realtime.second_project.processes import SecondProject

DROPS_SUBSCRIBES = """
window.WebSocket = class extends WebSocket {
  send(text) { if (window.speak || !text.includes('"subscribe"')) super.send(text); }
};
"""
LOSES_A_FRAME_AND_DIES_BEFORE_THE_REQUEST = """
window.lost = 0; window.subscribes = 0; window.dead = 0;
const RealSocket = WebSocket;
window.WebSocket = class extends RealSocket {
  set onmessage(handle) {
    this.addEventListener("message", (event) => {
      if (this.deaf) return;
      if (!lost && event.data.includes('"from":2,')) { lost += 1; return; }
      handle(event);
      if (!this.dying || !event.data.includes('"from":4,')) return;
      this.deaf = true;
      dead += 1;
      this.close();
    });
  }
  send(text) {
    if (text.includes('"subscribe"') && (subscribes += 1) === 2) this.dying = true;
    else super.send(text);
  }
};
"""


def _state(tab: Tab) -> str:
    return str(tab.page.evaluate("states.at(-1)"))


def _begin(tab: Tab, streams: dict[str, Any], **timing: int) -> Tab:
    tab.page.evaluate(
        "([streams, options]) => begin(streams, options)",
        [streams, {"timing": {**TIMING, "retrySocket": 600_000, **timing}}],
    )
    return tab


def _polled(*streams: str) -> dict[str, Any]:
    return {name: {"since": 0, "poll": f"/events/{name}/"} for name in streams}


def test_a_socket_is_live_when_it_has_answered_for_each_stream(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    project.write("append", stream, 1, 3)
    tab = open_tab(DROPS_SUBSCRIBES).begin()
    tab.page.wait_for_timeout(1000)  # only the welcome arrives
    assert (tab.numbers(), _state(tab)) == ([], "connecting")
    tab.page.evaluate("() => { speak = true; }")
    project.write("append", stream, 4)
    second = open_tab().begin()  # subscribes again
    for each in (tab, second):
        each.wait_for("live")
        each.wait_for_number(4)


def test_a_frame_in_flight_does_not_close_the_gap_before_it(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    tab = open_tab(LOSES_A_FRAME_AND_DIES_BEFORE_THE_REQUEST).begin()
    tab.wait_for("live")
    project.write("append", stream, 1)
    tab.wait_for_number(1)
    for number, condition in ((2, "lost === 1"), (3, "subscribes === 2"), (4, "dead === 1")):
        project.write("append", stream, number)
        tab.page.wait_for_function(condition)
    tab.wait_for_number(4)
    assert tab.numbers() == [1, 2, 3, 4]


def test_a_page_that_cannot_fetch_its_data_is_not_live(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    project.write("append", stream, 1, 5)
    tab = open_tab()
    tab.page.evaluate(
        """([stream, timing]) => {
          window.broken = true;
          const load = () => { if (broken) throw new Error("HTTP 502"); };
          begin({ [stream]: { epoch: "old", since: 3, onReset: load } }, { timing });
        }""",
        [stream, TIMING],
    )
    tab.page.wait_for_timeout(1500)  # several attempts fail
    assert _state(tab) == "connecting"
    assert "live" not in tab.page.evaluate("states.slice(2)")
    tab.page.evaluate("() => { broken = false; }")
    tab.wait_for("live")


def test_a_position_must_be_a_number(open_tab: OpenTab, stream: str) -> None:
    tab = open_tab()
    begin = (
        "(stream) => { try { begin({ [stream]: { since: '0' } }) } catch (e) { return e.message } }"
    )
    assert tab.page.evaluate(begin, stream) == f'{stream}: since is a whole number, not "0".'


def test_one_order_to_wait_ends_the_state_polling(
    project: SecondProject, open_tab: OpenTab, context: BrowserContext, stream: str
) -> None:
    tab = _begin(open_tab(NO_SOCKETS), _polled(stream))
    tab.wait_for("polling")
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=429, headers={"Retry-After": "120"})

    context.route("**/events/**", refuse)
    project.write("append", stream, 1)
    tab.wait_for_number(1)
    tab.wait_for("connecting")
    # The order to wait also applies when the user shows the page.
    tab.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    tab.page.wait_for_timeout(500)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "answer", [{"status": 503, "headers": {"Retry-After": "120"}}, {"status": 502}]
)
def test_the_state_is_polling_only_when_each_stream_is_answered(
    open_tab: OpenTab, context: BrowserContext, stream: str, answer: dict[str, Any]
) -> None:
    context.route("**/events/user:me/**", lambda route: route.fulfill(**answer))
    tab = _begin(open_tab(NO_SOCKETS), _polled(stream, "user:me"), base=300)
    for _ in range(4):
        with tab.page.expect_response(f"**/events/{stream}/**"):
            tab.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        tab.page.wait_for_timeout(300)
    assert "polling" not in tab.page.evaluate("states")


def test_a_stream_without_an_address_does_not_count_as_polling(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    tab = _begin(open_tab(NO_SOCKETS), {stream: {"since": 0}, **_polled("user:me")})
    with tab.page.expect_response("**/events/**"):
        pass
    tab.page.wait_for_timeout(300)
    assert _state(tab) == "connecting"


def test_one_unreachable_address_does_not_stop_other_streams(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    blocked = """
    const { fetch: asks } = window;
    window.sockets = 0;
    window.fetch = async (address, how) => {
      if (!`${address}`.includes("user:me")) return asks(address, how);
      await new Promise((resolve) => setTimeout(resolve, 300));
      throw new TypeError("blocked");
    };
    """
    counts = NO_SOCKETS.replace("constructor() {", "constructor() { sockets += 1;")
    tab = _begin(open_tab(blocked + counts), _polled(stream, "user:me"))
    project.write("append", stream, 1)
    tab.wait_for_number(1)
    tab.page.wait_for_timeout(3000)
    project.write("append", stream, 2)
    tab.wait_for_number(2)
    assert not {"polling", "offline"} & set(tab.page.evaluate("states"))
    assert tab.page.evaluate("sockets") <= 4


def test_many_polled_streams_leave_connections_for_the_page(
    project: SecondProject, open_tab: OpenTab, context: BrowserContext, port: int
) -> None:
    clubs = [f"{port}-{number}" for number in range(8)]
    session = project.write("member", f"ann-{port}-of-many", *clubs)
    url = f"http://127.0.0.1:{port}"
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    streams = [f"club:{name}" for name in clubs]
    tab = _begin(open_tab(NO_SOCKETS), _polled(*streams), wait=20_000, look=300)
    tab.wait_for("polling")
    # Six held requests would block this fetch until they end.
    tab.page.set_default_timeout(10_000)
    tab.page.evaluate("() => fetch('/snapshot/x/').then(() => { window.fetched = true; })")
    tab.page.wait_for_function("window.fetched")
    for number, name in enumerate(streams, 1):
        project.write("append", name, number)
        tab.wait_for_number(number)
    assert "offline" not in tab.page.evaluate("states")
