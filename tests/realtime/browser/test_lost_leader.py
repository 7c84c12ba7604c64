"""After a tab was taken for dead, and beside tabs that are elsewhere in the log, all is well again."""

from __future__ import annotations

from playwright.sync_api import BrowserContext

from tests.realtime.browser.conftest import TIMING, OpenTab, Tab
from tests.realtime.browser.test_client import COUNTS_SOCKETS, NO_SOCKETS
from tests.realtime.browser.test_tabs import HANG
from tests.realtime.second_project.processes import SecondProject

TIMERS_ARE_SLOW = """
const often = window.setInterval;
window.setInterval = (what, milliseconds) => often(what, Math.max(milliseconds, 6000));
"""


def _states(*tabs: Tab) -> list[str]:
    return [tab.page.evaluate("states.at(-1)") for tab in tabs]


def test_what_a_robbed_tab_says_when_it_wakes_is_not_the_state_of_the_others(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    leader, hung, third = open_tab().begin(), open_tab().begin(), open_tab().begin()
    for tab in (leader, hung, third):
        tab.wait_for("live")
    hung.page.evaluate(HANG, 9_000)
    leader.page.close()
    third.page.wait_for_function("states.at(-2) === 'connecting' && states.at(-1) === 'live'")
    hung.page.evaluate("1")  # answers when it is awake
    project.write("append", stream, 1)
    for tab in (hung, third):
        tab.wait_for_number(1)
        tab.wait_for("live")
    third.page.wait_for_timeout(500)
    assert _states(third, hung) == ["live", "live"]


def test_a_robbed_tab_whose_server_was_restarted_meanwhile_is_live_again_too(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    leader, follower = open_tab().begin(), open_tab().begin()
    for tab in (leader, follower):
        tab.wait_for("live")
    leader.page.evaluate(HANG, 12_000)
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


def test_a_tab_with_slow_timers_does_not_rob_one_that_answers(
    project: SecondProject, open_tab: OpenTab, session: str
) -> None:
    leader = open_tab().begin()
    leader.wait_for("live")
    hidden = open_tab(TIMERS_ARE_SLOW + COUNTS_SOCKETS).begin()
    hidden.wait_for("live")
    project.write("log_out", session)
    for tab in (leader, hidden):
        tab.wait_for("offline")  # and says nothing more, but if it is asked
    hidden.page.wait_for_timeout(20_000)  # three of its looks, of which two find silence
    assert hidden.page.evaluate("sockets") == 0


def test_a_tab_whose_page_cannot_be_fetched_costs_the_others_nothing(
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
    project.write("append_at_leisure", stream, 300, 6.0)
    healthy.wait_for_number(300)
    assert healthy.numbers() == list(range(1, 301))


def test_from_now_on_beside_a_position_is_heard_while_polling(
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


def test_who_named_no_epoch_notices_a_restore_while_polling(
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


def test_a_tab_that_joins_is_live_when_its_own_stream_has_been_told_of(
    open_tab: OpenTab, context: BrowserContext
) -> None:
    says_nothing_of_it = """
    window.WebSocket = class extends WebSocket {
      send(text) { if (!text.includes('"user:me"')) super.send(text); }
    };
    """
    leader = open_tab(says_nothing_of_it).begin()
    leader.wait_for("live")
    second = open_tab()
    second.stream = "user:me"
    second.begin()
    second.page.wait_for_timeout(1000)
    assert _states(leader, second) == ["live", "connecting"]
