"""client.js behind a failing network applies the committed events once and in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.realtime.browser.conftest import OpenTab, Tab
from tests.realtime.chaos_proxy import ChaosProxy
from tests.realtime.second_project.processes import SecondProject

COUNT = 120
ALL = list(range(1, COUNT + 1))
SECONDS = 4.0


@pytest.fixture
def proxy(project: SecondProject) -> Iterator[ChaosProxy]:
    frequent = project.beside(PROJECT_HEARTBEAT="1")
    with ChaosProxy(frequent.serve()) as proxy:
        yield proxy
    frequent.close_servers()


@pytest.fixture
def port(proxy: ChaosProxy) -> int:
    return proxy.port


@pytest.fixture
def writing(project: SecondProject, stream: str) -> Iterator[Callable[[], Future[None]]]:
    with ThreadPoolExecutor(1) as pool:
        yield lambda: pool.submit(project.write, "append_slowly", stream, COUNT, SECONDS)


def refuse(proxy: ChaosProxy) -> None:
    proxy.refuse()
    proxy.reset()


@pytest.mark.parametrize(
    "failure",
    [
        ChaosProxy.stall,
        ChaosProxy.reset,
        lambda proxy: proxy.truncate(after=37),
        ChaosProxy.half_open,
        ChaosProxy.blackhole,
        refuse,
    ],
    ids=["stalled", "reset", "truncated", "half open", "blackholed", "refused"],
)
def test_pages_show_exactly_the_committed_events(
    open_tab: OpenTab,
    proxy: ChaosProxy,
    writing: Callable[[], Future[None]],
    failure: Callable[[ChaosProxy], None],
) -> None:
    leader, follower = open_tab().begin(), open_tab().begin()
    leader.wait_for("live")
    written = writing()
    for number in (20, 60):
        _wait_until_beyond(leader, number)
        failure(proxy)
        leader.page.wait_for_timeout(700)  # the duration of the failure
        proxy.recover()
    written.result()
    for tab in (leader, follower):
        tab.wait_for_number(COUNT)
        tab.wait_for("live")
        assert tab.numbers() == ALL


def test_a_frozen_tab_holds_no_connection_and_catches_up(
    project: SecondProject, open_tab: OpenTab, proxy: ChaosProxy, stream: str
) -> None:
    tab = open_tab().begin()
    tab.wait_for("live")
    project.write("append", stream, 1, 5)
    tab.wait_for_number(5)
    # Chromium sends this event before it freezes a hidden tab; it never freezes a visible tab.
    tab.page.evaluate("() => document.dispatchEvent(new Event('freeze'))")
    project.write("append", stream, 6, 500, 50)
    tab.page.wait_for_timeout(300)  # no event may arrive
    assert tab.numbers() == list(range(1, 6))
    tab.page.evaluate("() => document.dispatchEvent(new Event('resume'))")
    tab.wait_for_number(505)
    tab.wait_for("live")
    assert tab.numbers() == list(range(1, 506))


def test_a_page_that_slept_catches_up(
    project: SecondProject, open_tab: OpenTab, proxy: ChaosProxy, stream: str
) -> None:
    """Simulate a closed laptop: the connection dies without an event, and the clock jumps."""
    tab = open_tab().begin()
    tab.wait_for("live")
    proxy.blackhole()
    project.write("append", stream, 1, 50, 5)
    tab.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3600_000; }")
    tab.wait_for_number(50)
    tab.wait_for("live")
    assert tab.numbers() == list(range(1, 51))


def _wait_until_beyond(tab: Tab, number: int) -> None:
    tab.page.wait_for_function("(n) => events.length > n", arg=number)
