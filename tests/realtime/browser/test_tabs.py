"""The tabs of a browser share one connection, and none loses events because of another."""

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
  for (const [epoch, seq] of [first, second]) link.subscribe({ stream, epoch, seq });
  const { epoch, seq } = link.streams.get(stream);
  return [epoch, seq];
}
"""


def _sent_by(tab: Tab) -> list[dict[str, str]]:
    """Return a list that collects the frames of the tab's socket."""
    sent: list[dict[str, str]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: sent.append(json.loads(text)))

    tab.page.on("websocket", listen)
    return sent


def _count(sent: list[dict[str, str]], kind: str) -> int:
    return sum(frame["type"] == kind for frame in sent)


def _snapshot(tab: Tab) -> str:
    return SNAPSHOT.replace("STREAM", tab.stream)


def _begin_with_snapshot(tab: Tab, options: str) -> Tab:
    """Load a snapshot, listen from its position, and load again at each reset."""
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
def test_the_lower_position_decides_where_the_connection_resumes(
    open_tab: OpenTab, first: list[object], second: list[object], together: list[object]
) -> None:
    tab = open_tab()
    assert tab.page.evaluate(JOIN, [tab.stream, first, second]) == together


def test_a_tab_loaded_after_a_restore_does_not_cost_older_tabs_their_reset(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    project.write("append", stream, 1, 20)
    old = _begin_with_snapshot(open_tab(), "")
    old.wait_for("live")
    project.kill(port)
    old.page.wait_for_function("states.at(-1) !== 'live'")
    project.write("restore_from_backup", stream, 10)
    project.write("append", stream, 111, 5)
    # A page loaded now starts in the restored log, and the shared connection resumes there.
    project.serve(port=port)
    new = _begin_with_snapshot(open_tab(), "")
    for tab in (new, old):
        tab.wait_for_number(115)
        tab.wait_for("live")
    project.write("append", stream, 201, 5)
    for tab in (new, old):
        tab.wait_for_number(205)
        assert tab.numbers() == [*range(1, 11), *range(111, 116), *range(201, 206)]


def test_a_log_restored_without_a_new_epoch_is_fetched_again(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    project.write("append", stream, 1, 20)
    tab = _begin_with_snapshot(open_tab(), "")
    tab.wait_for("live")
    project.kill(port)
    project.write("restore_without_epoch", stream, 10)
    project.serve(port=port)
    tab.wait_for("live")
    tab.wait_for_number(10)
    project.write("append", stream, 111)
    tab.wait_for_number(111)
    assert tab.numbers() == [*range(1, 11), 111]


def test_a_stream_without_tabs_is_unsubscribed(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    leader = open_tab()
    sent = _sent_by(leader)
    leader.begin().wait_for("live")
    follower, other = open_tab(), open_tab()
    for tab in (follower, other):
        tab.stream = "user:me"
        tab.begin().wait_for("live")
    follower.page.close()
    other.page.close()
    leader.page.wait_for_function("window.link")  # pumps the messages that carry the frames
    while not (left := [frame for frame in sent if frame["type"] == "unsubscribe"]):
        leader.page.wait_for_timeout(20)
    assert left == [{"type": "unsubscribe", "stream": "user:me"}]
    project.write("append", stream, 1)
    leader.wait_for_number(1)


def test_showing_any_tab_checks_the_connection(
    open_tab: OpenTab,
) -> None:
    leader = open_tab()
    sent = _sent_by(leader)
    leader.begin().wait_for("live")
    follower = open_tab().begin()
    follower.wait_for("live")
    before = _count(sent, "ping")
    follower.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    while _count(sent, "ping") == before:
        leader.page.wait_for_timeout(20)


def test_an_error_of_onstate_does_not_stop_the_events(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    options = "onState: (state) => { states.push(state); throw new Error('no such element'); }"
    tab = _begin_with_snapshot(open_tab(), options)
    tab.wait_for("live")
    project.write("append", stream, 1)
    tab.wait_for_number(1)


def test_each_failed_fetch_causes_one_subscribe(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    tab = open_tab()
    sent = _sent_by(tab)
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
    # Each subscribe gets a reset; the thirty frames after the gap cause no further subscribe.
    assert _count(sent, "subscribe") <= 4
    assert tab.numbers() == []


FREEZE = "(ms) => { setTimeout(() => { const end = Date.now() + ms; while (Date.now() < end); }) }"


def test_a_frozen_leader_loses_the_connection_to_another_tab(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    leader, follower = open_tab().begin(), open_tab().begin()
    for tab in (leader, follower):
        tab.wait_for("live")
    leader.page.evaluate(FREEZE, 12_000)
    project.write("append", stream, 1)
    follower.wait_for_number(1)
    follower.wait_for("live")
    project.write("append", stream, 2)
    for tab in (follower, leader):
        tab.wait_for_number(2)
        assert tab.numbers() == [1, 2]


def test_a_frozen_tab_that_inherits_the_lock_loses_it_again(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    leader, frozen, third = open_tab().begin(), open_tab().begin(), open_tab().begin()
    for tab in (leader, frozen, third):
        tab.wait_for("live")
    frozen.page.evaluate(FREEZE, 12_000)
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
    for name in (
        ann,
        bob,
    ):  # the second session replaces the first in the browser without ending it
        url = f"http://127.0.0.1:{port}"
        context.add_cookies([{"name": "sessionid", "value": sessions[name], "url": url}])
        tabs[name] = open_tab()
        tabs[name].stream = "user:me"
        tabs[name].begin(since=None, user=name).wait_for("live")
    for number, name in enumerate((ann, bob, ann), 1):
        project.write("append", project.write("own_key", name), number)
        tabs[name].wait_for_number(number)
    assert (tabs[ann].numbers(), tabs[bob].numbers()) == ([1, 3], [2])


def test_a_tab_without_a_position_starts_at_the_head_beside_a_tab_with_one(
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


def test_a_closed_client_calls_no_callback(
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
    tab.page.wait_for_timeout(300)  # the other frames queue
    tab.page.evaluate("link.close(); openGate()")
    tab.page.wait_for_timeout(300)
    assert tab.page.evaluate("calls") == 1


def test_fetches_of_a_refused_snapshot_back_off(
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


def test_events_of_a_replaced_log_are_not_applied_to_the_new_one(
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
    tab.page.wait_for_timeout(1500)  # the reset arrives behind the frames
    tab.page.evaluate("answer(early)")
    tab.page.wait_for_function("shown.at(-1) === 123")
    assert tab.page.evaluate("shown") == [*range(1, 22), 122, 123]
