"""Clients that listen on sockets, resume after each loss, and check every number."""

from __future__ import annotations

import json
import ssl
import threading
import time
from datetime import datetime
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from tests.cluster.record import Record
from tests.cluster.traffic import Site

STREAM = "church:grace"
_DEAD_SECONDS = 60
"""Two heartbeats and a little; the browser's client does the same."""


class Listener:
    """A socket on the stream of a church. ``position`` is the last number it has seen."""

    def __init__(self, site: Site, record: Record, token: str) -> None:
        self._url = site.url.replace("https", "wss") + "/ws/v1/"
        self._context = ssl.create_default_context(cafile=str(site.certificate))
        self._record, self._token = record, token
        self.position: int | None = None
        self._epoch = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._listen()
            except ConnectionClosed as error:
                code = error.rcvd.code if error.rcvd else 1006
                self._record.reconnects[str(code)] += 1
            except (OSError, WebSocketException) as error:
                self._record.reconnects[type(error).__name__] += 1
            self._ended.wait(1)

    def _listen(self) -> None:
        bearer = {"Authorization": f"Bearer {self._token}"}
        with connect(
            self._url, ssl=self._context, additional_headers=bearer, open_timeout=5,
            close_timeout=1, max_size=None,
        ) as live:  # fmt: skip
            since = {} if self.position is None else {"since": self.position, "epoch": self._epoch}
            live.send(json.dumps({"type": "subscribe", "stream": STREAM, **since}))
            heard = time.monotonic()
            while not self._ended.is_set():
                try:
                    frame = json.loads(live.recv(timeout=1))
                except TimeoutError:
                    if time.monotonic() - heard > _DEAD_SECONDS:
                        self._record.reconnects["silent"] += 1
                        return
                    continue
                heard = time.monotonic()
                self._take(frame)
                if frame["type"] == "events":
                    ack = {"type": "ack", "stream": STREAM, "seq": self.position}
                    live.send(json.dumps(ack))

    def _take(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "subscribed":
            self._epoch = frame["epoch"]
            if self.position is None:
                self.position = frame["seq"]
        elif kind == "reset":
            self._record.resets += 1
            self._epoch, self.position = frame["epoch"], frame["seq"]
        elif kind == "events":
            self._take_events(frame)

    def _take_events(self, frame: dict[str, Any]) -> None:
        assert self.position is not None
        if frame["from"] > self.position + 1:
            self._record.gaps += 1
        now = time.time()
        oldest = now
        for event in frame["events"]:
            if event["seq"] <= self.position:
                self._record.doubled_events += 1
            oldest = min(oldest, datetime.fromisoformat(event["at"]).timestamp())
        self._record.events += len(frame["events"])
        self._record.latest_event.append((now, now - oldest))
        self._record.good("sockets")
        self.position = max(self.position, frame["to"])
