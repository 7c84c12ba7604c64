"""A page stays below the limit of frames, so that its socket stays open."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import WebSocket

from tests.realtime.browser.conftest import TIMING, OpenTab, Tab
from tests.realtime.second_project.processes import SecondProject

BURST = """
async ([streams, timing, times]) => {
  const { Socket } = await import("/static/realtime/client/socket.js");
  window.answered = new Set();
  window.closes = [];
  await new Promise((resolve) => {
    window.socket = new Socket("/ws/v1/", timing, {
      onOpen: resolve,
      onFrame: (frame) => {
        if (frame.stream) window.answered.add(frame.stream);
        if (frame.type === "events") window.last = frame.to;
      },
      onClose: (code) => window.closes.push(code),
    });
  });
  for (let time = 0; time < times; time += 1)
    for (const stream of streams) {
      socket.subscribe({ stream, seq: 0, epoch: null });
      socket.probe();
    }
}
"""


def test_a_page_that_subscribes_repeatedly_stays_connected(
    open_tab: OpenTab, project: SecondProject
) -> None:
    tab = open_tab()
    sent: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: sent.append(json.loads(text)["type"]))

    tab.page.on("websocket", listen)
    others = [f"club:unknown-{number}" for number in range(19)]
    tab.page.evaluate(BURST, [[tab.stream, *others], TIMING, 20])
    tab.page.wait_for_function("answered.size === 20")
    project.write("append", tab.stream, 1, 3)
    tab.page.wait_for_function("window.last === 3")
    assert tab.page.evaluate("closes") == []
    assert len(sent) <= 60


@pytest.mark.parametrize("number", [12])
def test_many_tabs_that_open_and_show_at_once_stay_live(
    open_tab: OpenTab, project: SecondProject, number: int
) -> None:
    tabs: list[Tab] = [open_tab() for _ in range(number)]
    closed: list[str] = []
    for tab in tabs:
        tab.begin()
    for tab in tabs:
        tab.wait_for("live")
        tab.page.on("websocket", lambda socket: closed.append(socket.url))
    for _ in range(10):
        for tab in tabs:
            tab.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    project.write("append", tabs[0].stream, 1, 5)
    for tab in tabs:
        tab.wait_for_number(5)
        assert tab.numbers() == [1, 2, 3, 4, 5]
    assert closed == []  # no reconnect was necessary
