"""The tabs of a browser and their one connection: what is one tab's is not another's loss."""

from __future__ import annotations

import json
import uuid

import pytest
from playwright.sync_api import BrowserContext, WebSocket

from tests.realtime.browser.conftest import TIMING, OpenTab, Tab
from tests.realtime.second_project.processes import SecondProject

SNAPSHOT = """
async () => {
  const { epoch, since, bodies } = await (await fetch("/snapshot/STREAM/")).json();
  window.events = bodies.map((body) => JSON.parse(body));
  return { epoch, since };
}
"""

JOIN = """
async ([stream, first, second]) => {
  const { Link } = await import("/static/realtime/client/link.js");
  const link = new Link({ url: "/", timing: {}, onFrame: () => {}, onState: () => {} });
  for (const [epoch, seq] of [first, second]) link.want({ stream, epoch, seq });
  const { epoch, seq } = link.streams.get(stream);
  return [epoch, seq];
}
"""


def _said_by(tab: Tab) -> list[dict[str, str]]:
    """The frames that the tab's socket sends from now on."""
    said: list[dict[str, str]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: said.append(json.loads(text)))

    tab.page.on("websocket", listen)
    return said


def _count(said: list[dict[str, str]], kind: str) -> int:
    return sum(frame["type"] == kind for frame in said)


def _snapshot(tab: Tab) -> str:
    return SNAPSHOT.replace("STREAM", tab.stream)


def _begin_with_snapshot(tab: Tab, options: str) -> Tab:
    """Loads, and begins from there; loads anew at each reset."""
    tab.page.evaluate(
        f"""async (timing) => {{
          const load = {_snapshot(tab)};
          begin({{ "{tab.stream}": {{ ...await load(), onReset: load }} }}, {{ timing, {options} }});
        }}""",
        TIMING,
    )
    return tab


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (["e", 140], ["e", 150], ["e", 140]),
        (["e", 150], ["e", 140], ["e", 140]),
        (["e", 150], [None, 140], ["e", 140]),
        (["e", 150], ["restored", 160], ["restored", 160]),
        (["e", None], ["e", 7], ["e", 7]),
    ],
)
def test_who_has_less_decides_where_the_connection_goes_on(
    open_tab: OpenTab, first: list[object], second: list[object], together: list[object]
) -> None:
    tab = open_tab()
    assert tab.page.evaluate(JOIN, [tab.stream, first, second]) == together


def test_a_tab_that_was_loaded_after_a_restore_does_not_leave_the_older_ones_behind(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    project.write("append", stream, 1, 20)
    old = _begin_with_snapshot(open_tab(), "")
    old.wait_for("live")
    project.kill(port)
    old.page.wait_for_function("states.at(-1) !== 'live'")
    project.write("restore_from_backup", stream, 10)
    project.write("append", stream, 111, 5)
    # What a page loaded now starts with is the restored log; the one connection goes on from there.
    project.serve(port=port)
    new = _begin_with_snapshot(open_tab(), "")
    for tab in (new, old):
        tab.wait_for_number(115)
        tab.wait_for("live")
    project.write("append", stream, 201, 5)
    for tab in (new, old):
        tab.wait_for_number(205)
        assert tab.numbers() == [*range(1, 11), *range(111, 116), *range(201, 206)]


def test_a_log_that_went_back_without_another_epoch_is_fetched_anew(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    project.write("append", stream, 1, 20)
    tab = _begin_with_snapshot(open_tab(), "")
    tab.wait_for("live")
    project.kill(port)
    project.write("forget_after", stream, 10)
    project.serve(port=port)
    tab.wait_for("live")
    tab.wait_for_number(10)
    project.write("append", stream, 111)
    tab.wait_for_number(111)
    assert tab.numbers() == [*range(1, 11), 111]


def test_a_stream_that_no_tab_wants_any_more_is_left(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    leader = open_tab()
    said = _said_by(leader)
    leader.begin().wait_for("live")
    follower, other = open_tab(), open_tab()
    for tab in (follower, other):
        tab.stream = "user:me"
        tab.begin().wait_for("live")
    follower.page.close()
    other.page.close()
    leader.page.wait_for_function("window.link")  # the frames come with the page's messages
    while not (left := [frame for frame in said if frame["type"] == "unsubscribe"]):
        leader.page.wait_for_timeout(20)
    assert left == [{"type": "unsubscribe", "stream": "user:me"}]
    project.write("append", stream, 1)
    leader.wait_for_number(1)


def test_looking_at_any_tab_asks_whether_the_connection_is_there(
    open_tab: OpenTab,
) -> None:
    leader = open_tab()
    said = _said_by(leader)
    leader.begin().wait_for("live")
    follower = open_tab().begin()
    follower.wait_for("live")
    before = _count(said, "ping")
    follower.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    while _count(said, "ping") == before:
        leader.page.wait_for_timeout(20)


def test_a_page_that_cannot_show_the_state_goes_on(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    options = "onState: (state) => { states.push(state); throw new Error('no such element'); }"
    tab = _begin_with_snapshot(open_tab(), options)
    tab.wait_for("live")
    project.write("append", stream, 1)
    tab.wait_for_number(1)


def test_while_fetching_anew_fails_the_log_is_asked_once_each_time(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    tab = open_tab()
    said = _said_by(tab)
    tab.page.evaluate(
        """([stream, timing]) => {
          window.failures = 0;
          const fails = () => { failures += 1; throw new Error("HTTP 502"); };
          begin({ [stream]: { epoch: "none", since: 0, onReset: fails } }, { timing });
        }""",
        [stream, {}],
    )
    tab.page.wait_for_function("failures === 1")
    project.write("append", stream, 1, 30)
    tab.page.wait_for_function("failures === 3")
    # Each time a reset is the answer: none of the thirty frames, which have a gap before them all.
    assert _count(said, "subscribe") <= 4
    assert tab.numbers() == []


HANG = "(ms) => { setTimeout(() => { const end = Date.now() + ms; while (Date.now() < end); }) }"


def test_a_tab_that_hangs_does_not_keep_the_connection_from_the_others(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    leader, follower = open_tab().begin(), open_tab().begin()
    for tab in (leader, follower):
        tab.wait_for("live")
    leader.page.evaluate(HANG, 12_000)
    project.write("append", stream, 1)
    follower.wait_for_number(1)
    follower.wait_for("live")
    project.write("append", stream, 2)
    for tab in (follower, leader):
        tab.wait_for_number(2)
        assert tab.numbers() == [1, 2]


def test_a_tab_that_inherits_the_connection_while_it_hangs_does_not_keep_it_either(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    leader, hung, third = open_tab().begin(), open_tab().begin(), open_tab().begin()
    for tab in (leader, hung, third):
        tab.wait_for("live")
    hung.page.evaluate(HANG, 12_000)
    leader.page.close()
    project.write("append", stream, 1)
    third.wait_for_number(1)
    third.wait_for("live")


def test_tabs_of_two_users_have_a_connection_each(
    project: SecondProject, open_tab: OpenTab, context: BrowserContext, port: int
) -> None:
    ann, bob = (f"{name}-{uuid.uuid4().hex[:8]}" for name in ("ann", "bob"))
    sessions = {name: project.write("member", name, "x") for name in (ann, bob)}
    tabs = {}
    for name in (ann, bob):  # whose session replaces the other's in the browser, and ends it not
        url = f"http://127.0.0.1:{port}"
        context.add_cookies([{"name": "sessionid", "value": sessions[name], "url": url}])
        tabs[name] = open_tab()
        tabs[name].stream = "user:me"
        tabs[name].begin(since=None, user=name).wait_for("live")
    for number, name in enumerate((ann, bob, ann), 1):
        project.write("append", project.write("own_key", name), number)
        tabs[name].wait_for_number(number)
    assert (tabs[ann].numbers(), tabs[bob].numbers()) == ([1, 3], [2])


def test_from_now_on_is_the_head_and_not_where_another_tab_began(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    slow_to_open = """
    const RealSocket = WebSocket;
    window.gate = new Promise((resolve) => { window.openGate = resolve; });
    window.WebSocket = class {
      constructor(...given) {
        gate.then(() => {
          this.real = new RealSocket(...given);
          this.real.onmessage = (event) => this.onmessage(event);
          this.real.onclose = (event) => this.onclose(event);
        });
      }
      send(text) { this.real.send(text); }
      close(code) { this.real?.close(code); }
    };
    """
    project.write("append", stream, 1, 20)
    timing = {**TIMING, "connect": 60_000}
    leader = open_tab(slow_to_open).begin(since=0, timing=timing)
    follower = open_tab().begin(since=None, timing=timing)
    follower.page.wait_for_timeout(300)
    leader.page.evaluate("openGate()")
    leader.wait_for_number(20)
    project.write("append", stream, 21)
    follower.wait_for_number(21)
    assert follower.numbers() == [21]


def test_what_is_closed_calls_nobody(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    project.write("append", stream, 1, 600)  # three frames
    tab = open_tab()
    tab.page.evaluate(
        """([stream, timing]) => {
          window.calls = 0;
          window.gate = new Promise((resolve) => { window.openGate = resolve; });
          const slow = async () => { calls += 1; await gate; };
          begin({ [stream]: { since: 0 } }, { timing, onEvents: slow });
        }""",
        [stream, TIMING],
    )
    tab.page.wait_for_function("calls === 1")
    tab.page.wait_for_timeout(300)  # in which the others queue
    tab.page.evaluate("link.close(); openGate()")
    tab.page.wait_for_timeout(300)
    assert tab.page.evaluate("calls") == 1


def test_a_snapshot_that_the_log_refuses_is_fetched_more_and_more_seldom(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    project.write("append", stream, 1, 5)
    tab = open_tab()
    tab.page.evaluate(
        """([stream, timing]) => {
          window.fetches = 0;
          const load = () => { fetches += 1; return { epoch: "old", since: 3 }; };
          begin({ [stream]: { epoch: "old", since: 3, onReset: load } }, { timing });
        }""",
        [stream, {}],
    )
    tab.page.wait_for_function("fetches > 1")
    tab.page.wait_for_timeout(3000)
    assert tab.page.evaluate("fetches") < 15


def test_events_of_a_log_that_was_replaced_meanwhile_are_not_those_of_the_new_one(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    project.write("append", stream, 1, 20)
    tab = open_tab()
    tab.page.evaluate(
        """async ([stream, timing]) => {
          window.take = async () => (await fetch(`/snapshot/${stream}/`)).json();
          window.gate = new Promise((resolve) => { window.answer = resolve; });
          window.shown = [];
          window.loads = 0;
          const show = ({ epoch, since, bodies }) => {
            shown = bodies.map((body) => JSON.parse(body).data.n);
            return { epoch, since };
          };
          // The first fetch takes long: its answer is read at once, and arrives late.
          const load = async () => show(loads++ ? await take() : await gate);
          const apply = (_, events) => {
            for (const { data: { n } } of events) {
              if (n === 21) throw new Error("a mistake of the page");
              shown.push(n);
            }
          };
          begin({ [stream]: { ...show(await take()), onReset: load } }, { timing, onEvents: apply });
        }""",
        [stream, TIMING],
    )
    tab.wait_for("live")
    for number in (21, 22, 23):
        project.write("append", stream, number)
        tab.page.wait_for_function("loads === 1")
        tab.page.wait_for_timeout(200)  # a frame each
    project.write("restore_from_backup", stream, 21)
    tab.page.evaluate("async () => { window.early = await take(); }")
    project.write("append", stream, 122, 2, 2)
    tab.page.wait_for_timeout(1500)  # in which the reset comes, behind them
    tab.page.evaluate("answer(early)")
    tab.page.wait_for_function("shown.at(-1) === 123")
    assert tab.page.evaluate("shown") == [*range(1, 22), 122, 123]
