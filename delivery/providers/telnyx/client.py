"""``POST /v2/messages``, without retries below the engine."""

from __future__ import annotations

import json
import time
from typing import Any

import requests
from urllib3.exceptions import HTTPError, NewConnectionError

from delivery import conf
from delivery.models import Outcome
from delivery.providers.base import OutboundText, SendOutcome
from delivery.providers.telnyx.answer import HttpAnswer, outcome
from delivery.providers.telnyx.one_write import OneWriteAdapter

_LARGEST_ANSWER = 256 * 1024
_CHUNK = 16 * 1024


def body(text: OutboundText) -> bytes:
    """Return the bytes of the request, the same on every attempt.

    Telnyx compares the body byte by byte under one Idempotency-Key (error 10027), so no setting may
    enter here: it could change between two attempts.
    """
    fields: dict[str, Any] = {"from": text.from_number, "to": text.to_number}
    if text.text:
        fields["text"] = text.text
    if text.media_urls:
        fields["media_urls"] = text.media_urls
        fields["type"] = "MMS"
    if text.callback_url:
        fields["webhook_url"] = text.callback_url
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


class Client:
    """Hands texts to Telnyx over one kept-alive connection, for one thread."""

    def __init__(self) -> None:
        self._session = requests.Session()
        # This avoids a look-up of proxies and .netrc per call. A retry here would hide an ambiguity.
        self._session.trust_env = False
        self._adapter = OneWriteAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._session.headers.update(
            {"Content-Type": "application/json", "Accept": "application/json"}
        )
        self._prepared: tuple[tuple[str, str], requests.PreparedRequest] | None = None

    def send(self, text: OutboundText, *, base: str, api_key: str) -> SendOutcome:
        """Make one call. Never raises."""
        try:
            return outcome(self._post(self._prepare(text, (base, api_key))))
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _lost(error)

    def close(self) -> None:
        self._adapter.close()
        self._session.close()

    def _post(self, request: requests.PreparedRequest) -> HttpAnswer:
        deadline = time.monotonic() + conf.connect_timeout() + conf.read_timeout()
        # The adapter skips the hooks, redirects and cookies of a session: a tenth of a call.
        with self._adapter.send(
            request,
            timeout=(conf.connect_timeout(), conf.read_timeout()),
            stream=True,
            proxies={},
        ) as response:
            return HttpAnswer(response.status_code, response.headers, _read(response, deadline))

    def _prepare(self, text: OutboundText, account: tuple[str, str]) -> requests.PreparedRequest:
        """Reuse the prepared request: preparing all but key and body costs a third of a call."""
        if self._prepared is None or self._prepared[0] != account:
            base, key = account
            post = requests.Request(
                "POST", f"{base}/messages", headers={"Authorization": f"Bearer {key}"}
            )
            self._prepared = account, self._session.prepare_request(post)
        prepared = self._prepared[1]
        prepared.body = body(text)
        prepared.headers["Content-Length"] = str(len(prepared.body))
        prepared.headers["Idempotency-Key"] = text.idempotency_key
        return prepared


def _read(response: requests.Response, deadline: float) -> bytes:
    """Return the body, up to a size and a time: the read timeout alone bounds only each byte."""
    found = bytearray()
    # read1 returns the bytes so far; waiting for whole chunks would disable the deadline.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        found += chunk
        if len(found) > _LARGEST_ANSWER:
            break
        if time.monotonic() > deadline:
            raise requests.ReadTimeout("The answer took too long to arrive.")
    return bytes(found)


def _lost(error: Exception) -> SendOutcome:
    """Return the outcome of a call without an answer.

    Only a call without a connection certainly did not reach Telnyx.
    """
    never_sent = isinstance(error, requests.ConnectTimeout) or _never_connected(error)
    return SendOutcome(
        kind=Outcome.RETRYABLE if never_sent else Outcome.AMBIGUOUS,
        code="connection_failed" if never_sent else "answer_lost",
        title="No connection to Telnyx" if never_sent else "The answer of Telnyx was lost",
        detail=type(error).__name__,
        reached=False,
    )


def _never_connected(error: Exception) -> bool:
    if not isinstance(error, requests.ConnectionError):
        return False
    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    # urllib3 raises NewConnectionError for a refused connection, no route and an unknown name.
    return isinstance(reason, NewConnectionError)
