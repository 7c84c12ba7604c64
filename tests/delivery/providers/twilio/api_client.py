"""The two sides of the simulated Twilio: the official SDK as a client, and a host of webhooks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl

import requests
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from delivery.providers.simulator.server import Answer, Request, Server
from delivery.providers.twilio.simulator import TwilioSimulator
from tests.support.waiting import wait_until

SENDER = "+13125550100"
MEMBER = "+13125550002"
PATIENCE_SECONDS = 10


class ApiClient:
    """``sdk`` uses the API; ``tell`` and ``ask`` use the control API."""

    def __init__(self, twilio: TwilioSimulator) -> None:
        self.twilio = twilio
        self._http = requests.Session()
        self.sdk = sdk_for(twilio)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self.sdk.http_client.session.close()

    def send(self, **fields: Any) -> Any:
        fields = {"to": MEMBER, "from_": SENDER, "body": "Service at nine.", **fields}
        return self.sdk.messages.create(**fields)

    def tell(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self._http.post(f"{self.twilio.control}/{path}", json=body, timeout=5)
        assert answer.ok, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def ask(self, path: str) -> dict[str, Any]:
        answer = self._http.get(f"{self.twilio.control}/{path}", timeout=5)
        assert answer.ok, answer.text
        asked: dict[str, Any] = answer.json()
        return asked

    def wait_for_status(self, sid: str, status: str) -> None:
        wait_until(lambda: self.sdk.messages(sid).fetch().status == status)


def sdk_for(twilio: TwilioSimulator, user: str = "", password: str = "") -> Any:
    credentials = twilio.credentials
    sdk: Any = Client(
        user or credentials.api_key,
        password or credentials.api_secret,
        credentials.account_sid,
        http_client=TwilioHttpClient(timeout=5),
    )
    sdk.api.base_url = twilio.base
    return sdk


@dataclass(frozen=True)
class Received:
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def status(self) -> str:
        return self.fields.get("MessageStatus", "")


class Receiver:
    """A host of webhooks: keeps all calls and answers 200, or ``answers[path]``."""

    def __init__(self) -> None:
        self._server = Server("127.0.0.1", 0, self._take)
        self._changed = threading.Condition()
        self.clear()

    def clear(self) -> None:
        with self._changed:
            self.received: list[Received] = []
            self.answers: dict[str, Callable[[], Answer]] = {}

    def url(self, path: str = "/webhooks/twilio/m1/") -> str:
        return f"http://127.0.0.1:{self._server.port}{path}"

    def wait_for(self, count: int) -> list[Received]:
        """Return the first ``count`` calls, or raise an AssertionError that shows what came."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.received) >= count, PATIENCE_SECONDS)
            assert came, f"Only {[one.fields for one in self.received]} came."
            return self.received[:count]

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _take(self, request: Request) -> Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._changed:
            self.received.append(Received(self.url(request.path), headers, request.body))
            self._changed.notify_all()
            answer = self.answers.get(request.path, Answer)
        return answer()
