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


def test_it_gets_what_was_and_what_comes(
    project: SecondProject, open_tab: OpenTab, stream: str
) -> None:
    project.write("append", stream, 1, 10)
    tab = open_tab().begin(since=4)
    tab.wait_for("live")
    project.write("append", stream, 11, 500, 50)
    tab.wait_for_number(510)
    assert tab.numbers() == list(range(5, 511))


def test_it_goes_on_after_a_restart_of_the_server(
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


def test_it_goes_on_when_the_network_is_back(
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


def test_a_frame_that_went_missing_is_noticed_and_fetched(
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


def test_a_heartbeat_tells_of_a_loss_that_nothing_follows(
    project: SecondProject, open_tab: OpenTab, stream: str, port: int
) -> None:
    project.kill(port)
    beating = project.beside(PROJECT_HEARTBEAT="1")
    beating.serve(port=port)
    try:
        tab = open_tab(before=LOSES_ONE_FRAME).begin()
        tab.wait_for("live")
        project.write("append", stream, 1, 3)
        tab.wait_for_number(3)
        project.write("append", stream, 4)
        tab.wait_for_number(4)
        assert tab.page.evaluate("lost") == 1
    finally:
        beating.close_servers()


def test_without_sockets_it_polls(project: SecondProject, open_tab: OpenTab, stream: str) -> None:
    tab = open_tab(before=NO_SOCKETS).begin()
    tab.wait_for("polling")
    project.write("append", stream, 1, 500, 50)
    tab.wait_for_number(500)
    assert tab.numbers() == list(range(1, 501))


def test_it_comes_back_from_polling(project: SecondProject, open_tab: OpenTab, stream: str) -> None:
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
const { fetch: asks, WebSocket: Real } = window;
window.network = (there) => {
  WebSocket = there ? Real : DEAD_SOCKET;
  window.fetch = async (...given) => {
    if (!there) throw new TypeError("no network");
    answered.push(`${given[0]}`);
    return asks(...given);
  };
};
network(true);
""".replace("DEAD_SOCKET", DEAD_SOCKET)


def test_while_nothing_answers_the_socket_is_tried_and_when_it_opens_nothing_is_polled(
    open_tab: OpenTab, project: SecondProject, stream: str, port: int
) -> None:
    tab = open_tab(NO_NETWORK).begin()
    tab.wait_for("live")
    tab.page.evaluate("network(false)")
    project.kill(port)
    tab.wait_for("offline")
    project.write("append", stream, 1, 5)
    project.serve(port=port)
    tab.page.evaluate("network(true)")
    tab.wait_for("live")
    tab.wait_for_number(5)
    assert tab.numbers() == list(range(1, 6))
    assert tab.page.evaluate("answered") == []
    assert "polling" not in tab.page.evaluate("states")


def test_a_server_that_answers_polls_again_is_tried_for_the_socket_at_once(
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
    # Another tab takes over from the one that had the connection.
    first.page.close()
    project.write("append", stream, 11, 5)
    for tab in (second, third):
        tab.wait_for_number(15)
    assert second.numbers() == list(range(3, 16))
    assert third.numbers() == list(range(6, 16))
    assert len(opened) == 1


def test_who_has_lost_the_right_is_told(
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


def test_a_snapshot_and_the_events_are_a_fresh_snapshot(
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
    # More than the log keeps went by: the client must fetch anew.
    project.write("forget", stream, 70)
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


def test_where_realtime_is_off_pages_poll(
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
        # The refusal says that it is off: asking a second time would tell nothing new.
        assert tab.page.evaluate("sockets") == 1
    finally:
        off.close_servers()


@pytest.mark.parametrize(("letter", "letters"), [("x", 25_000), ("\N{EURO SIGN}", 8_333)])
def test_it_acknowledges_what_all_streams_sent_together(
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
    # 75 KB: more than half of what needs a word, and less than all of it.
    project.write("append_large", stream, 3, letters, letter)
    # Two streams written at one time may come in either order.
    tab.page.wait_for_function("events.length === 3")
    assert tab.page.evaluate("acks") == []
    project.write("append_large", project.write("own_key", name), 3, letters, letter)
    tab.page.wait_for_function("acks.length > 0")
    assert tab.page.evaluate("acks") == [{"type": "ack", "stream": "user:me", "seq": 3}]
