"""The state of a page after a logout, and without access to one of its streams."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import BrowserContext

from tests.realtime.browser.conftest import TIMING, OpenTab, Tab
from tests.realtime.browser.test_client import NO_SOCKETS
from tests.realtime.second_project.processes import SecondProject


@pytest.fixture
def ann(project: SecondProject, stream: str, context: BrowserContext, port: int) -> str:
    """Log a member of the club in; return the user name."""
    name = f"ann-{uuid.uuid4().hex[:8]}"
    _log_in(context, port, project.write("member", name, stream.partition(":")[2]))
    return name


def _log_in(context: BrowserContext, port: int, session: str) -> None:
    url = f"http://127.0.0.1:{port}"
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])


def _session(context: BrowserContext) -> str:
    return next(c["value"] for c in context.cookies() if c["name"] == "sessionid")


def _begin(tab: Tab, *streams: str) -> None:
    tab.page.evaluate(
        "([streams, options]) => begin(streams, options)",
        [
            {name: {"since": 0, "poll": f"/events/{name}/"} for name in (tab.stream, *streams)},
            {"timing": TIMING},
        ],
    )


@pytest.mark.parametrize("script", ["", NO_SOCKETS], ids=["socket", "polling"])
def test_a_page_loaded_after_a_new_login_reconnects_the_refused_tabs(
    project: SecondProject,
    open_tab: OpenTab,
    context: BrowserContext,
    port: int,
    ann: str,
    script: str,
) -> None:
    up = "polling" if script else "live"
    tab = open_tab(script).begin()
    tab.wait_for(up)
    project.write("log_out", _session(context))
    tab.wait_for("offline")
    _log_in(context, port, project.write("session", ann))
    new = open_tab(script).begin()
    for each in (new, tab):
        each.wait_for(up)
    project.write("append", tab.stream, 1)
    for each in (new, tab):
        each.wait_for_number(1)


@pytest.mark.parametrize("script", ["", NO_SOCKETS], ids=["socket", "polling"])
def test_a_page_is_offline_until_it_has_access_to_all_its_streams_again(
    project: SecondProject, open_tab: OpenTab, ann: str, script: str
) -> None:
    up = "polling" if script else "live"
    whole, part = open_tab(script), open_tab(script)
    _begin(whole, "user:me")
    whole.wait_for(up)
    part.stream = "user:me"
    part.begin()
    part.wait_for(up)
    project.write("expel_with_notice", ann, whole.stream.partition(":")[2])
    whole.wait_for("offline")
    assert part.page.evaluate("states.at(-1)") == up
    project.write("append", project.write("own_key", ann), 7)
    part.wait_for_number(7)
    project.write("admit", ann, whole.stream.partition(":")[2])
    project.write("append", whole.stream, 8)
    _show(whole)
    whole.wait_for(up)
    whole.wait_for_number(8)


def test_a_page_without_access_to_its_only_stream_is_offline_until_admitted(
    project: SecondProject, open_tab: OpenTab, ann: str
) -> None:
    project.write("expel", ann, (name := open_tab().stream.partition(":")[2]))
    tab = open_tab(NO_SOCKETS).begin()
    tab.wait_for("offline")
    project.write("admit", ann, name)
    project.write("append", tab.stream, 1)
    _show(tab)
    tab.wait_for("polling")
    tab.wait_for_number(1)


def test_a_login_during_the_refusal_of_the_old_session_is_admitted(
    project: SecondProject, open_tab: OpenTab, context: BrowserContext, port: int, ann: str
) -> None:
    delayed_close = """
    window.refusals = 0;
    window.gate = new Promise((resolve) => { window.openGate = resolve; });
    window.WebSocket = class extends WebSocket {
      set onclose(handle) {
        this.addEventListener("close", (event) => { refusals += 1; gate.then(() => handle(event)); });
      }
    };
    """
    timing = {**TIMING, "connect": 60_000}
    project.write("log_out", _session(context))
    leader = open_tab(delayed_close).begin(timing=timing)
    leader.page.wait_for_function("refusals === 1")
    _log_in(context, port, project.write("session", ann))
    new = open_tab().begin(timing=timing)
    new.page.wait_for_timeout(300)
    leader.page.evaluate("openGate()")
    for tab in (new, leader):
        tab.wait_for("live")


def _show(tab: Tab) -> None:
    tab.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
