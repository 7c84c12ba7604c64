"""``make smoke URL=https://…``: test a deployed system. It sends one real text.

Needs ``SMOKE_USER``, ``SMOKE_PASSWORD`` and ``SMOKE_TO``, a number that you may text.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import connect

DELIVERED_WITHIN_SECONDS = 60
_NEEDED = ("SMOKE_USER", "SMOKE_PASSWORD", "SMOKE_TO")


class FailedError(Exception):
    """A failed check; the message is a sentence."""


class Visitor:
    """An API client of a church's staff."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.http = requests.Session()
        self.church = ""

    def ask(self, method: str, path: str, expected: int, **options: Any) -> requests.Response:
        answer = self.http.request(method, self.url + path, timeout=20, **options)
        if answer.status_code != expected:
            raise FailedError(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer

    def get(self, path: str) -> requests.Response:
        return self.ask("GET", path, 200)


def _check_proxy(visitor: Visitor) -> None:
    """Raise FailedError if a wrong proxy breaks the pages; ``/readyz`` answers 200 even then."""
    page = f"{visitor.url}/login/"
    answer = visitor.http.get(page, timeout=20, allow_redirects=False)
    if answer.status_code == 400:
        raise FailedError(
            "The name is refused. nginx must pass it on (proxy_set_header Host $http_host;), and"
            " ALLOWED_HOSTS must hold it."
        )
    if answer.is_redirect and answer.headers["Location"] == page:
        raise FailedError(
            "The page redirects to itself. The proxy must tell the scheme (proxy_set_header"
            " X-Forwarded-Proto $scheme;), and TRUSTED_PROXIES must hold its address."
        )
    if answer.status_code in {502, 503, 504}:
        raise FailedError(
            f"The proxy answers {answer.status_code}: it does not reach the web process."
        )
    if answer.status_code != 200:
        raise FailedError(f"GET /login/ answered {answer.status_code}.")


def _refuse_redirected_webhooks(visitor: Visitor) -> None:
    answer = visitor.http.post(
        f"{visitor.url}/webhooks/telnyx/", data=b"{}", timeout=20, allow_redirects=False
    )
    if answer.status_code == 503:
        raise FailedError("No webhook is trusted: set TELNYX_PUBLIC_KEY.")
    if answer.status_code != 400:
        raise FailedError(
            f"An unsigned webhook was answered {answer.status_code} and not 400: pass /webhooks/ on"
            " as it is, see deploy/nginx.conf."
        )


def is_ready(visitor: Visitor) -> str:
    _check_proxy(visitor)
    _refuse_redirected_webhooks(visitor)
    return str(visitor.get("/readyz").json()["parts"])


def logs_in(visitor: Visitor) -> str:
    given = {"username": os.environ["SMOKE_USER"], "password": os.environ["SMOKE_PASSWORD"]}
    body = visitor.ask("POST", "/api/v1/auth/login/", 200, json=given).json()
    visitor.http.headers["Authorization"] = f"Bearer {body['token']}"
    visitor.church = f"/api/v1/churches/{body['user']['churches'][0]['slug']}/"
    return f"as {body['user']['username']}, for {visitor.church}"


def a_repeated_read_costs_nothing(visitor: Visitor) -> str:
    etag = visitor.get(f"{visitor.church}members/").headers["ETag"]
    visitor.ask("GET", f"{visitor.church}members/", 304, headers={"If-None-Match": etag})
    return f"304 for {etag}"


def limits_are_told(visitor: Visitor) -> str:
    headers = visitor.get("/api/v1/me/").headers
    if "RateLimit" not in headers:
        raise FailedError("There is no RateLimit field: are the limits off?")
    return str(headers["RateLimit"])


def a_text_is_delivered_and_told_on_the_socket(visitor: Visitor) -> str:
    ticket = visitor.ask("POST", "/api/v1/realtime/ticket/", 200).json()
    name = f"church:{visitor.church.rstrip('/').rpartition('/')[2]}"
    protocols: Any = ["koinonia.v1", f"ticket.{ticket['ticket']}"]
    _connects(ticket["url"], visitor.url)
    with connect(ticket["url"], subprotocols=protocols, open_timeout=20) as socket:
        socket.send(json.dumps({"type": "subscribe", "stream": name}))
        given = {"to": os.environ["SMOKE_TO"], "text": "Koinonia smoke test."}
        message = visitor.ask("POST", f"{visitor.church}messages/", 202, json=given).json()["id"]
        seen = list(_statuses(socket, message))
    if seen[-1:] != ["delivered"]:
        raise FailedError(f"The text {message} was not delivered; the socket told {seen}.")
    return " → ".join(seen)


def _connects(address: str, url: str) -> None:
    """Raise FailedError if a socket cannot connect; the server closes it for its missing ticket."""
    if url.startswith("https://") and not address.startswith("wss://"):
        raise FailedError(
            f"The socket's address is {address}: the proxy must tell the scheme (proxy_set_header"
            " X-Forwarded-Proto $scheme;), and TRUSTED_PROXIES must hold its address."
        )
    try:
        with connect(address, open_timeout=20):
            pass
    except (InvalidHandshake, TimeoutError) as error:
        raise FailedError(
            f"The socket is not upgraded ({error}). nginx needs proxy_http_version 1.1;"
            " proxy_set_header Upgrade $http_upgrade; and proxy_set_header Connection upgrade; see"
            " deploy/nginx.conf."
        ) from error


def _statuses(socket: Any, message: str) -> Iterator[str]:
    until = time.monotonic() + DELIVERED_WITHIN_SECONDS
    while (left := until - time.monotonic()) > 0:
        try:
            frame = json.loads(socket.recv(timeout=left))
        except TimeoutError:
            return
        for event in frame.get("events", []):
            if event["data"].get("message") == message:
                yield event["data"]["status"]
                if event["data"]["status"] in {"delivered", "failed", "dead", "suppressed"}:
                    return


CHECKS: list[Callable[[Visitor], str]] = [
    is_ready,
    logs_in,
    limits_are_told,
    a_repeated_read_costs_nothing,
    a_text_is_delivered_and_told_on_the_socket,
]


def main() -> int:
    missing = [name for name in _NEEDED if not os.environ.get(name)]
    if len(sys.argv) != 2 or missing:
        sys.stderr.write(f"{__doc__}\nMissing: {', '.join(missing) or 'URL'}\n")
        return 2
    visitor = Visitor(sys.argv[1])
    for check in CHECKS:
        sentence = check.__name__.replace("_", " ")
        try:
            told = check(visitor)
        except (FailedError, requests.RequestException, OSError, KeyError) as error:
            sys.stdout.write(f"FAILED  {sentence}: {error}\n")
            return 1
        sys.stdout.write(f"ok      {sentence}: {told}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
