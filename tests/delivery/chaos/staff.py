"""Staff that keep sending during a disruption: they repeat a request with the same key until it
succeeds."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.support.running_system import RunningSystem

_PATIENCE_SECONDS = 120


class Writer:
    """A user who repeats each request until it succeeds."""

    def __init__(self, system: RunningSystem, username: str) -> None:
        self._system = system
        self._church = username.partition("-")[0]
        self._token = system.token(username)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body of the 202 answer."""
        key, until = uuid.uuid4().hex, time.monotonic() + _PATIENCE_SECONDS
        while True:
            answer = self._ask("POST", path, json=body, headers={"Idempotency-Key": key})
            if answer is not None and answer.status_code == 202:
                accepted: dict[str, Any] = answer.json()
                return accepted
            self._give_up_or_wait(answer, until)

    def get(self, path: str) -> dict[str, Any]:
        until = time.monotonic() + _PATIENCE_SECONDS
        while (answer := self._ask("GET", path)) is None or answer.status_code != 200:
            self._give_up_or_wait(answer, until)
        found: dict[str, Any] = answer.json()
        return found

    def _ask(self, method: str, path: str, **arguments: Any) -> requests.Response | None:
        headers = {"Authorization": f"Bearer {self._token}", **arguments.pop("headers", {})}
        url = f"{self._system.url}/api/v1/churches/{self._church}/{path}"
        try:
            return requests.request(method, url, headers=headers, timeout=30, **arguments)
        except requests.RequestException:
            return None

    def _give_up_or_wait(self, answer: requests.Response | None, until: float) -> None:
        passing = answer is None or answer.status_code in (409, 429) or answer.status_code >= 500
        said = None if answer is None else (answer.status_code, answer.text[:500])
        assert passing, f"Refused for good: {said}"
        assert time.monotonic() < until, f"Not accepted in {_PATIENCE_SECONDS} s; at last: {said}"
        time.sleep(0.1)


class SingleTexts:
    """Sends messages to new numbers, one after another, until stopped."""

    def __init__(self, writer: Writer, mark: str) -> None:
        self._writer, self._mark = writer, mark
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self.accepted: list[tuple[str, str]] = []

    @contextmanager
    def flowing(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, name=f"texts {self._mark}")
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            for number in itertools.count():
                if self._stop.wait(0.05):
                    return
                to, text = f"+1206555{number:04}", f"{self._mark} single {number}"
                self._writer.post("messages/", {"to": to, "text": text})
                self.accepted.append((to, text))
        except BaseException as failure:  # raised again in the thread that waits
            self._failure = failure
