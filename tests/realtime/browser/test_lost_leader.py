"""Tabs after a stolen lock, and tabs with different positions, all become current again."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.realtime.browser.conftest import TIMING, OpenTab, Tab
from tests.realtime.browser.test_client import COUNTS_SOCKETS, NO_SOCKETS
from tests.realtime.browser.test_tabs import FREEZE
from tests.realtime.second_project.processes import SecondProject

TIMERS_ARE_SLOW = """
const often = window.setInterval;
window.setInterval = (what, milliseconds) => often(what, Math.max(milliseconds, 6000));
"""


def _states(*tabs: Tab) -> list[str]:
    return [tab.page.evaluate("states.at(-1)") for tab in tabs]


def test_a_former_leader_that_wakes_does_not_change_the_state_of_other_tabs(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    leader, frozen, third = open_tab().begin(), open_tab().begin(), open_tab().begin()
    for tab in (leader, frozen, third):
        tab.wait_for("live")
    frozen.page.evaluate(FREEZE, 9_000)
    leader.page.close()
    third.page.wait_for_function("states.at(-2) === 'connecting' && states.at(-1) === 'live'")
    frozen.page.evaluate("1")  # returns when the tab runs again
    project.write("append", stream, 1)
    for tab in (frozen, third):
        tab.wait_for_number(1)
        tab.wait_for("live")
    third.page.wait_for_timeout(500)
    assert _states(third, frozen) == ["live", "live"]


def test_a_former_leader_is_live_again_after_a_restart_of_the_server(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    leader, follower = open_tab().begin(), open_tab().begin()
    for tab in (leader, follower):
        tab.wait_for("live")
    leader.page.evaluate(FREEZE, 12_000)
    project.kill(port)
    project.serve(port=port)
    follower.page.wait_for_function("states.length > 3 && states.at(-1) === 'live'")
    leader.page.evaluate("1")
    project.write("append", stream, 1)
    for tab in (leader, follower):
        tab.wait_for_number(1)
        tab.wait_for("live")
    leader.page.wait_for_timeout(500)
    assert _states(leader, follower) == ["live", "live"]


def test_a_tab_with_slow_timers_does_not_steal_the_lock_of_a_living_leader(
    project: SecondProject, open_tab: OpenTab, session: str
) -> None:
    leader = open_tab().begin()
    leader.wait_for("live")
    hidden = open_tab(TIMERS_ARE_SLOW + COUNTS_SOCKETS).begin()
    hidden.wait_for("live")
    project.write("log_out", session)
    for tab in (leader, hidden):
        tab.wait_for("offline")  # the leader is silent now and answers only pings
    hidden.page.wait_for_timeout(20_000)  # three checks of the follower, two of them after silence
    assert hidden.page.evaluate("sockets") == 0


def test_a_tab_that_cannot_fetch_its_data_does_not_disturb_other_tabs(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    healthy, broken = open_tab().begin(), open_tab()
    healthy.wait_for("live")
    broken.page.evaluate(
        """([stream, timing]) => {
          const fails = () => { throw new Error("HTTP 502"); };
          begin({ [stream]: { epoch: "old", since: 3, onReset: fails } }, { timing });
        }""",
        [stream, TIMING],
    )
    project.write("append_slowly", stream, 300, 6.0)
    healthy.wait_for_number(300)
    assert healthy.numbers() == list(range(1, 301))


def test_tabs_at_the_head_and_at_a_position_both_get_polled_events(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    first, second = open_tab(NO_SOCKETS), open_tab(NO_SOCKETS)
    first.begin(since=None)
    second.begin(since=0)
    for tab in (first, second):
        tab.wait_for("polling")
    for number in (1, 2):
        project.write("append", stream, number)
        for tab in (first, second):
            tab.wait_for_number(number)


def test_a_tab_without_an_epoch_detects_a_restore_while_polling(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    project.write("append", stream, 1, 20)
    tab = open_tab(NO_SOCKETS)
    tab.page.evaluate(
        """([stream, timing]) => {
          window.resets = 0;
          const onReset = () => { resets += 1; };
          begin({ [stream]: { since: 0, poll: `/events/${stream}/`, onReset } }, { timing });
        }""",
        [stream, TIMING],
    )
    tab.wait_for_number(20)
    tab.wait_for("polling")
    project.kill(port)
    project.write("restore_from_backup", stream, 10)
    project.write("append", stream, 111, 20)
    project.serve(port=port)
    tab.page.wait_for_function("resets === 1")
    assert tab.numbers() == list(range(1, 21))


def test_a_new_tab_is_live_when_its_own_stream_has_been_answered(
    open_tab: OpenTab, context: BrowserContext
) -> None:
    drops_user_stream = """
    window.WebSocket = class extends WebSocket {
      send(text) { if (!text.includes('"user:me"')) super.send(text); }
    };
    """
    leader = open_tab(drops_user_stream).begin()
    leader.wait_for("live")
    second = open_tab()
    second.stream = "user:me"
    second.begin()
    second.page.wait_for_timeout(1000)
    assert _states(leader, second) == ["live", "connecting"]


RECEIVE_RESETS = """
async ([stream, refusals]) => {
  const { Cursor } = await import("/static/realtime/client/cursor.js");
  const calls = [];
  const cursor = new Cursor(stream, { since: 76, epoch: "e" }, { base: 1, cap: 1 }, {
    apply: () => {},
    show: () => {},
    refetch: () => { calls.push("fetch"); },
    subscribe: ({ seq }) => calls.push(`subscribe ${seq}`),
  });
  for (const refused of refusals) {
    cursor.receive({ type: "reset", stream, epoch: "e", seq: 86, refused });
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  return calls;
}
"""
OWN, LOWER, OTHER = (
    {"seq": 76, "epoch": "e"},
    {"seq": 50, "epoch": "e"},
    {"seq": 0, "epoch": "none"},
)


@pytest.mark.parametrize(
    ("refusals", "calls"),
    [
        ([OTHER, OTHER], ["subscribe 76"]),
        ([OTHER, OWN], ["subscribe 76", "fetch", "subscribe 86"]),
        ([LOWER, LOWER], ["subscribe 76", "subscribe 76"]),
        ([None], ["subscribe 76"]),
    ],
)
def test_a_tab_fetches_its_data_only_when_its_own_position_is_refused(
    open_tab: OpenTab, refusals: list[Any], calls: list[str]
) -> None:
    tab = open_tab()
    assert tab.page.evaluate(RECEIVE_RESETS, [tab.stream, refusals]) == calls


def test_a_reset_carries_the_position_that_the_server_refused(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    project.write("append", stream, 1, 5)
    tab = open_tab()
    frames = tab.page.evaluate(
        """([stream, timing]) => new Promise(async (resolve) => {
          const { Socket } = await import("/static/realtime/client/socket.js");
          const frames = [];
          const socket = new Socket("/ws/v1/", timing, {
            onOpen: () => {
              for (const [seq, epoch] of [[1, null], [3, "old"], [9, null]]) {
                socket.subscribe({ stream, seq, epoch });
              }
            },
            onFrame: (frame) => {
              if (frame.type !== "events") frames.push([frame.type, frame.refused ?? null]);
              if (frames.length === 3) resolve(frames);
            },
            onClose: () => {},
          });
        })""",
        [stream, TIMING],
    )
    assert frames == [
        ["subscribed", None],
        ["reset", {"seq": 3, "epoch": "old"}],
        ["reset", {"seq": 9, "epoch": None}],
    ]
