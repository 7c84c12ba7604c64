"""The tabs of a browser and their one connection: what is one tab's is not another's loss."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import WebSocket

from tests.realtime.browser.conftest import TIMING, OpenTab, Tab
from tests.realtime.club import Club

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
    club: Club, open_tab: OpenTab, stream: str, port: int
) -> None:
    club.write("append", stream, 1, 20)
    old = _begin_with_snapshot(open_tab(), "")
    old.wait_for("live")
    club.kill(port)
    old.page.wait_for_function("states.at(-1) !== 'live'")
    club.write("restore_from_backup", stream, 10)
    club.write("append", stream, 111, 5)
    # What a page loaded now starts with is the restored log; the one connection goes on from there.
    club.serve(port=port)
    new = _begin_with_snapshot(open_tab(), "")
    for tab in (new, old):
        tab.wait_for_number(115)
        tab.wait_for("live")
    club.write("append", stream, 201, 5)
    for tab in (new, old):
        tab.wait_for_number(205)
        assert tab.numbers() == [*range(1, 11), *range(111, 116), *range(201, 206)]


def test_a_log_that_went_back_without_another_epoch_is_fetched_anew(
    club: Club, open_tab: OpenTab, stream: str, port: int
) -> None:
    club.write("append", stream, 1, 20)
    tab = _begin_with_snapshot(open_tab(), "")
    tab.wait_for("live")
    club.kill(port)
    club.write("forget_after", stream, 10)
    club.serve(port=port)
    tab.wait_for("live")
    tab.wait_for_number(10)
    club.write("append", stream, 111)
    tab.wait_for_number(111)
    assert tab.numbers() == [*range(1, 11), 111]


def test_a_stream_that_no_tab_wants_any_more_is_left(
    club: Club, open_tab: OpenTab, stream: str
) -> None:
    leader = open_tab()
    said: list[dict[str, str]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: said.append(json.loads(text)))

    leader.page.on("websocket", listen)
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
    club.write("append", stream, 1)
    leader.wait_for_number(1)


def test_looking_at_any_tab_asks_whether_the_connection_is_there(
    open_tab: OpenTab,
) -> None:
    leader = open_tab()
    said: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: said.append(json.loads(text)["type"]))

    leader.page.on("websocket", listen)
    leader.begin().wait_for("live")
    follower = open_tab().begin()
    follower.wait_for("live")
    before = said.count("ping")
    follower.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    while said.count("ping") == before:
        leader.page.wait_for_timeout(20)


def test_a_page_that_cannot_show_the_state_goes_on(
    club: Club, open_tab: OpenTab, stream: str
) -> None:
    options = "onState: (state) => { states.push(state); throw new Error('no such element'); }"
    tab = _begin_with_snapshot(open_tab(), options)
    tab.wait_for("live")
    club.write("append", stream, 1)
    tab.wait_for_number(1)


def test_while_fetching_anew_fails_the_log_is_asked_once_each_time(
    club: Club, open_tab: OpenTab, stream: str
) -> None:
    tab = open_tab()
    asked: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: asked.append(json.loads(text)["type"]))

    tab.page.on("websocket", listen)
    tab.page.evaluate(
        """([stream, timing]) => {
          window.failures = 0;
          const fails = () => { failures += 1; throw new Error("HTTP 502"); };
          begin({ [stream]: { epoch: "none", since: 0, onReset: fails } }, { timing });
        }""",
        [stream, {}],
    )
    tab.page.wait_for_function("failures === 1")
    club.write("append", stream, 1, 30)
    tab.page.wait_for_function("failures === 3")
    # Each time a reset is the answer: none of the thirty frames, which have a gap before them all.
    assert asked.count("subscribe") <= 4
    assert tab.numbers() == []
