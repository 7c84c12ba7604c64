"""client.js in a real Chromium, against a real server."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import BrowserContext

from tests.realtime.browser.conftest import TIMING, OpenTab
from tests.realtime.second_project.processes import SecondProject

DEAD_SOCKET = (
    "class { constructor() { setTimeout(() => this.onclose({ code: 1006 }), 10) } close() {} }"
)
NO_SOCKETS = f"WebSocket = {DEAD_SOCKET}"

COUNTS_SOCKETS = """
window.sockets = 0;
window.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); sockets += 1; }
};
"""

KEEPS_ACKS = """
window.acks = [];
window.WebSocket = class extends WebSocket {
  send(text) {
    if (text.includes('"ack"')) acks.push(JSON.parse(text));
    super.send(text);
  }
};
"""

LOSES_ONE_FRAME = """
window.lost = 0;
window.WebSocket = class extends WebSocket {
  set onmessage(handle) {
    this.addEventListener("message", (event) => {
      if (!lost && event.data.includes('"from":4,')) lost += 1;
      else handle(event);
    });
  }
};
"""


def test_the_client_gets_past_and_new_events(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    project.write("append", stream, 1, 10)
    tab = open_tab().begin(since=4)
    tab.wait_for("live")
    project.write("append", stream, 11, 500, 50)
    tab.wait_for_number(510)
    assert tab.numbers() == list(range(5, 511))


def test_the_client_resumes_after_a_restart_of_the_server(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    tab = open_tab().begin()
    tab.wait_for("live")
    project.write("append", stream, 1, 10)
    tab.wait_for_number(10)
    project.kill(port)
    project.write("append", stream, 11, 10)
    tab.page.wait_for_function("states.at(-1) !== 'live'")
    project.serve(port=port)
    tab.wait_for_number(20)
    tab.wait_for("live")
    assert tab.numbers() == list(range(1, 21))


def test_the_client_resumes_when_the_network_is_back(
    project: SecondProject, open_tab: OpenTab, stream: str, context: BrowserContext
) -> None:
    tab = open_tab().begin()
    tab.wait_for("live")
    context.set_offline(True)
    tab.wait_for("offline")
    project.write("append", stream, 1, 10)
    context.set_offline(False)
    tab.wait_for("live")
    tab.wait_for_number(10)
    assert tab.numbers() == list(range(1, 11))


def test_the_client_detects_and_fetches_a_missing_frame(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    tab = open_tab(before=LOSES_ONE_FRAME).begin()
    tab.wait_for("live")
    for number in range(1, 8):
        project.write("append", stream, number)
        if number == 4:
            tab.page.wait_for_function("lost === 1")
        else:
            tab.wait_for_number(number)
    assert tab.numbers() == list(range(1, 8))


def test_a_heartbeat_reveals_the_loss_of_the_last_frame(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    project.kill(port)
    frequent = project.beside(PROJECT_HEARTBEAT="1")
    frequent.serve(port=port)
    try:
        tab = open_tab(before=LOSES_ONE_FRAME).begin()
        tab.wait_for("live")
        project.write("append", stream, 1, 3)
        tab.wait_for_number(3)
        project.write("append", stream, 4)
        tab.wait_for_number(4)
        assert tab.page.evaluate("lost") == 1
    finally:
        frequent.close_servers()


def test_the_client_polls_without_sockets(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    tab = open_tab(before=NO_SOCKETS).begin()
    tab.wait_for("polling")
    project.write("append", stream, 1, 500, 50)
    tab.wait_for_number(500)
    assert tab.numbers() == list(range(1, 501))


def test_the_client_returns_from_polling_to_the_socket(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    tab = open_tab(before=f"window.Real = WebSocket; {NO_SOCKETS}").begin()
    tab.wait_for("polling")
    project.write("append", stream, 1, 5)
    tab.wait_for_number(5)
    tab.page.evaluate("() => { WebSocket = Real; }")
    tab.wait_for("live")
    project.write("append", stream, 6, 5)
    tab.wait_for_number(10)
    assert tab.numbers() == list(range(1, 11))


NO_NETWORK = """
window.answered = [];
window.trying = 0;
const { fetch: asks, WebSocket: Real } = window;
const Dead = class extends DEAD_SOCKET {
  constructor() { super(); trying += 1; setTimeout(() => { trying -= 1; }, 11); }
};
window.network = (there) => {
  WebSocket = there ? Real : Dead;
  window.fetch = async (...given) => {
    if (!there) throw new TypeError("no network");
    answered.push(`${given[0]}`);
    return asks(...given);
  };
};
network(true);
""".replace("DEAD_SOCKET", DEAD_SOCKET)


def test_during_an_outage_the_client_tries_the_socket_and_needs_no_poll_afterwards(
    open_tab: OpenTab, project: SecondProject, stream: str, port: int
) -> None:
    tab = open_tab(NO_NETWORK).begin()
    tab.wait_for("live")
    tab.page.evaluate("network(false)")
    project.kill(port)
    tab.wait_for("offline")
    project.write("append", stream, 1, 5)
    project.serve(port=port)
    # A try that began in the outage fails after it, and a poll is right then. So wait for none.
    tab.page.wait_for_function("trying === 0 && (network(true), true)")
    tab.wait_for("live")
    tab.wait_for_number(5)
    assert tab.numbers() == list(range(1, 6))
    assert tab.page.evaluate("answered") == []
    assert "polling" not in tab.page.evaluate("states")


def test_the_client_tries_the_socket_at_once_when_polls_are_answered_again(
    open_tab: OpenTab, project: SecondProject, stream: str, context: BrowserContext
) -> None:
    context.route("**/events/**", lambda route: route.fulfill(status=502))
    script = f"window.Real = WebSocket; {NO_SOCKETS}"
    tab = open_tab(script).begin(timing={**TIMING, "retrySocket": 600_000})
    with tab.page.expect_response("**/events/**"):
        pass
    tab.page.evaluate("() => { WebSocket = Real; }")
    context.unroute("**/events/**")
    tab.wait_for("live")
    project.write("append", stream, 1, 5)
    tab.wait_for_number(5)
    assert tab.numbers() == list(range(1, 6))


def test_two_tabs_share_one_connection(
    project: SecondProject, open_tab: OpenTab, stream: str, context: BrowserContext
) -> None:
    project.write("append", stream, 1, 5)
    first = open_tab().begin()
    first.wait_for("live")
    opened: list[str] = []
    context.on("page", lambda page: page.on("websocket", lambda socket: opened.append(socket.url)))
    second, third = open_tab(), open_tab()
    second.begin(since=2).wait_for("live")
    third.begin(since=None).wait_for("live")
    project.write("append", stream, 6, 5)
    for tab, numbers in ((first, range(1, 11)), (second, range(3, 11)), (third, range(6, 11))):
        tab.wait_for_number(10)
        assert tab.numbers() == list(numbers)
    assert opened == []
    # Another tab takes over the connection of a closed tab.
    first.page.close()
    project.write("append", stream, 11, 5)
    for tab in (second, third):
        tab.wait_for_number(15)
    assert second.numbers() == list(range(3, 16))
    assert third.numbers() == list(range(6, 16))
    assert len(opened) == 1


def test_a_logged_out_page_is_offline(
    project: SecondProject, open_tab: OpenTab, stream: str, session: str
) -> None:
    tab = open_tab().begin()
    tab.wait_for("live")
    project.write("log_out", session)
    tab.wait_for("offline")


SNAPSHOT = """
async () => {
  const { epoch, since, bodies } = await (await fetch("/snapshot/STREAM/")).json();
  window.shown = bodies.map((body) => JSON.parse(body).data.n);
  return { epoch, since };
}
"""
BEGIN_WITH_SNAPSHOT = """
async () => {
  const load = SNAPSHOT;
  const position = await load();
  begin(
    { "STREAM": { ...position, poll: "/events/STREAM/" } },
    {
      timing: TIMING,
      onReset: load,
      onEvents: (stream, events) => shown.push(...events.map(({ data }) => data.n)),
    },
  );
}
"""


def test_a_snapshot_plus_the_events_equals_a_fresh_snapshot(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    project.write("append", stream, 1, 20)
    tab = open_tab()
    script = BEGIN_WITH_SNAPSHOT.replace("SNAPSHOT", SNAPSHOT).replace("STREAM", stream)
    tab.page.evaluate(script.replace("TIMING", json.dumps(TIMING)))
    tab.wait_for("live")
    project.write("append", stream, 21, 30, 4)
    project.kill(port)
    project.write("append", stream, 51, 30, 4)
    # The log has pruned some of the missed events, so the client must fetch the data again.
    project.write("prune_up_to", stream, 70)
    project.serve(port=port)
    tab.wait_for("live")
    project.write("append", stream, 81, 30, 4)
    tab.page.wait_for_function("shown.at(-1) === 110")
    project.write("restore_from_backup", stream, 100)
    tab.page.wait_for_function("shown.at(-1) === 100")
    project.write("append", stream, 200, 5)
    tab.page.wait_for_function("shown.at(-1) === 204")
    shown = tab.page.evaluate("shown")
    tab.page.evaluate(f"({SNAPSHOT.replace('STREAM', stream)})()")
    assert shown == tab.page.evaluate("shown") == [*range(71, 101), *range(200, 205)]


def test_pages_poll_when_realtime_is_off(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    project.kill(port)
    off = project.beside(PROJECT_ENABLED="0")
    off.serve(port=port)
    try:
        tab = open_tab(before=COUNTS_SOCKETS).begin(timing={**TIMING, "retrySocket": 60_000})
        tab.wait_for("polling")
        project.write("append", stream, 1, 20, 3)
        tab.wait_for_number(20)
        assert tab.numbers() == list(range(1, 21))
        assert "live" not in tab.page.evaluate("states")
        # The close code says that realtime is off, so a second attempt is useless.
        assert tab.page.evaluate("sockets") == 1
    finally:
        off.close_servers()


@pytest.mark.parametrize(("letter", "letters"), [("x", 25_000), ("\N{EURO SIGN}", 8_333)])
def test_the_client_acknowledges_the_bytes_of_all_streams_together(
    project: SecondProject,
    open_tab: OpenTab,
    stream: str,
    context: BrowserContext,
    port: int,
    letter: str,
    letters: int,
) -> None:
    name = f"bea-{port}"
    session = project.write("member", name, stream.partition(":")[2])
    context.add_cookies(
        [{"name": "sessionid", "value": session, "url": f"http://127.0.0.1:{port}"}]
    )
    tab = open_tab(KEEPS_ACKS)
    tab.page.evaluate(
        "([streams, options]) => begin(streams, options)",
        [{stream: {"since": 0}, "user:me": {"since": 0}}, {"timing": TIMING}],
    )
    tab.wait_for("live")
    # 75 KB: between half and all of the bytes that need an acknowledgement.
    project.write("append_large", stream, 3, letters, letter)
    # Frames of two streams may arrive in either order.
    tab.page.wait_for_function("events.length === 3")
    assert tab.page.evaluate("acks") == []
    project.write("append_large", project.write("own_key", name), 3, letters, letter)
    tab.page.wait_for_function("acks.length > 0")
    assert tab.page.evaluate("acks") == [{"type": "ack", "stream": "user:me", "seq": 3}]
