"""The clients of the cluster: senders, readers, logins, a flooder, phones, a monitor."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests

from tests.cluster.record import Admission, Record
from tests.support.running_system import PASSWORD

MESSAGES_BURST, MESSAGES_PER_MINUTE = 20, 60
_HELD_SECONDS = 5
_PHONES = [f"+1312555{number:04}" for number in range(100, 200)]


class Site(Protocol):
    """The address of an installation, and the control of its carrier."""

    @property
    def url(self) -> str: ...
    @property
    def certificate(self) -> Path: ...
    def carrier_control(self, method: str, path: str, body: object = None) -> Any: ...


@dataclass(frozen=True)
class Pace:
    """The seconds between two steps of each kind of client; None leaves that kind out."""

    singles: float = 3
    broadcasts: float = 40
    flood: float | None = 0.4
    inbound: float = 3
    polls: float = 1
    logins: float = 10
    patience: float = 10
    """After so many seconds a client counts a missing answer."""


class Client:
    """A user of the API, through the proxies, who counts errors."""

    def __init__(self, site: Site, record: Record, user: str, patience: float = 10) -> None:
        self._site, self._record, self._user = site, record, user
        self._patience = patience
        self._http = requests.Session()
        self._http.trust_env = False  # REQUESTS_CA_BUNDLE would replace the certificate.
        self._http.verify = str(site.certificate)

    def sign_in(self) -> str:
        body = {"username": self._user, "password": PASSWORD}
        answer = self.ask("POST", "/api/v1/auth/login/", json=body)
        token = str(answer.json()["token"]) if answer is not None and answer.ok else ""
        self._http.headers["Authorization"] = f"Bearer {token}"
        return token

    def ask(self, method: str, path: str, **options: Any) -> requests.Response | None:
        """Return the answer; None, and a counted error, if there was none or a 5xx."""
        try:
            answer = self._http.request(
                method, self._site.url + path, timeout=self._patience, **options
            )
        except requests.RequestException as error:
            self._record.error(type(error).__name__)
            return None
        if answer.status_code >= 500:
            self._record.error(str(answer.status_code))
            return None
        if answer.status_code in {401, 404}:
            self._record.error(f"wrong {answer.status_code}")
        self._record.good("API")
        return answer


class Traffic:
    """Clients of ``site``, which go on until ``stop``.

    ``no_new_texts`` ends the sending and leaves the rest. ``probed`` maps names of web processes to
    their own addresses.
    """

    def __init__(
        self,
        site: Site,
        record: Record,
        pace: Pace = Pace(),
        probed: Mapping[str, str] | None = None,
    ) -> None:
        self._site, self._record, self._pace = site, record, pace
        self._probed = probed or {}
        self._sending, self._watching = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        pace = self._pace
        for number in range(2):
            self._begin(self._sending, pace.singles, self._singles(f"single {number}"))
        self._begin(self._sending, pace.broadcasts, self._broadcasts())
        if pace.flood is not None:
            self._begin(self._sending, pace.flood, self._flood())
        self._begin(self._sending, pace.inbound, self._inbound())
        self._begin(self._watching, pace.polls, self._polls())
        self._begin(self._watching, 0, self._held_polls())
        self._begin(self._watching, pace.logins, self._logins())
        self._begin(self._watching, 0.5, self._ledger())
        for name, address in self._probed.items():
            self._begin(self._watching, 0.5, self._health(name, address))

    def no_new_texts(self) -> None:
        self._sending.set()

    def stop(self) -> None:
        self._sending.set()
        self._watching.set()
        for thread in self._threads:
            thread.join(30)

    def _begin(self, ended: threading.Event, pause: float, step: Callable[[], None]) -> None:
        def repeat() -> None:
            while not ended.is_set():
                step()
                ended.wait(pause)

        thread = threading.Thread(target=repeat, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _client(self, user: str) -> Client:
        client = Client(self._site, self._record, user, self._pace.patience)
        client.sign_in()
        return client

    def _until_answered(self, client: Client, path: str, body: dict[str, Any]) -> Any:
        """Send with one Idempotency-Key until there is an answer of success; return its body."""
        key = {"Idempotency-Key": uuid.uuid4().hex}
        for _ in range(60):
            answer = client.ask("POST", path, json=body, headers=key)
            if answer is not None and answer.status_code == 202:
                return answer.json()
            time.sleep(float(answer.headers.get("Retry-After", 1)) if answer is not None else 1)
        self._record.error("gave up")
        return None

    def _singles(self, name: str) -> Callable[[], None]:
        client, numbers = self._client("grace-owner"), _counting()

        def step() -> None:
            number = next(numbers)
            body = {"to": _PHONES[number % len(_PHONES)], "text": f"{name} {number}"}
            if self._until_answered(client, "/api/v1/churches/grace/messages/", body):
                self._record.promise(body["text"], 1)

        return step

    def _broadcasts(self) -> Callable[[], None]:
        client, numbers = self._client("grace-owner"), _counting()

        def step() -> None:
            body = {"text": f"broadcast {next(numbers)}", "audience": {"all": True}}
            told = self._until_answered(client, "/api/v1/churches/grace/broadcasts/", body)
            if told:
                self._record.promise(str(body["text"]), told["total"])

        return step

    def _flood(self) -> Callable[[], None]:
        client, numbers = self._client("grace-sender"), _counting()

        def step() -> None:
            body = {"to": _PHONES[0], "text": f"flood {next(numbers)}"}
            sent = time.time()
            answer = client.ask("POST", "/api/v1/churches/grace/messages/", json=body)
            if answer is None:
                return
            if answer.status_code == 202:
                self._record.promise(body["text"], 1)
                # Without Redis no request is counted, and the answer has no such field.
                if "messages" in answer.headers.get("RateLimit", ""):
                    self._record.admitted.append(Admission(sent, time.time()))
            elif answer.status_code == 429:
                self._record.refused += 1

        return step

    def _inbound(self) -> Callable[[], None]:
        numbers = _counting()

        def step() -> None:
            number = next(numbers)
            text = f"inbound {number}"
            body = {"from": _PHONES[number % len(_PHONES)], "to": "+13125550001", "text": text}
            self._site.carrier_control("POST", "/inbound", body)
            self._record.inbound.append(text)

        return step

    def _polls(self) -> Callable[[], None]:
        client, known = self._client("grace-viewer"), {"If-None-Match": '"none"'}

        def step() -> None:
            path = "/api/v1/churches/grace/messages/?page_size=20"
            answer = client.ask("GET", path, headers=known)
            if answer is not None and answer.status_code == 200:
                known["If-None-Match"] = answer.headers["ETag"]

        return step

    def _held_polls(self) -> Callable[[], None]:
        """Ask for the next events of a church, and wait for them as a browser without a socket does."""
        client = self._client("grace-viewer")
        known: dict[str, int] = {}

        def step() -> None:
            since = f"after={known['to']}&wait={_HELD_SECONDS}" if known else "after=0"
            answer = client.ask("GET", f"/api/v1/churches/grace/events/?{since}")
            if answer is not None and answer.status_code == 200:
                known["to"] = int(answer.json()["to"])
            else:
                self._watching.wait(1)

        return step

    def _logins(self) -> Callable[[], None]:
        def step() -> None:
            client = Client(self._site, self._record, "hope-owner", self._pace.patience)
            if client.sign_in():
                client.ask("POST", "/api/v1/auth/logout/")

        return step

    def _ledger(self) -> Callable[[], None]:
        seen = 0

        def step() -> None:
            nonlocal seen
            total = self._site.carrier_control("GET", "/ledger/summary")["accepted"]
            if total > seen:
                self._record.good("delivery")
            seen = total

        return step

    def _health(self, name: str, address: str) -> Callable[[], None]:
        def step() -> None:
            with _counted(self._record, name, "healthz"):
                requests.get(f"http://{address}/healthz", timeout=2).raise_for_status()

        return step


@contextmanager
def _counted(record: Record, name: str, path: str) -> Iterator[None]:
    try:
        yield
    except requests.RequestException as error:
        record.error(f"{path} {name}: {type(error).__name__}")
    else:
        record.good(f"{path} {name}")


def _counting() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number
