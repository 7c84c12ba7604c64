"""``POST /v2/messages``, with nothing that retries below us."""

from __future__ import annotations

import time
from typing import Any

import requests
from urllib3.exceptions import HTTPError, NewConnectionError

from delivery import conf
from delivery.models import Outcome
from delivery.providers.base import SendRequest, Verdict
from delivery.providers.telnyx.answer import HttpAnswer, verdict
from delivery.providers.telnyx.one_write import OneWriteAdapter

_LARGEST_ANSWER = 256 * 1024
_CHUNK = 16 * 1024


class TelnyxProvider:
    """Hands texts to Telnyx over one kept-alive connection. For one thread."""

    def __init__(self) -> None:
        self._session = requests.Session()
        # No proxy or .netrc lookup per call, and no retry that would hide an ambiguity.
        self._session.trust_env = False
        self._adapter = OneWriteAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._session.headers.update(
            {"Content-Type": "application/json", "Accept": "application/json"}
        )
        self._prepared: tuple[tuple[str, str], requests.PreparedRequest] | None = None

    def send(self, request: SendRequest) -> Verdict:
        try:
            return verdict(self._post(request))
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _lost(error)

    def _post(self, request: SendRequest) -> HttpAnswer:
        deadline = time.monotonic() + conf.connect_timeout() + conf.read_timeout()
        # The adapter and not the session, whose hooks, redirects and cookies are a tenth of a call.
        with self._adapter.send(
            self._prepare(request),
            timeout=(conf.connect_timeout(), conf.read_timeout()),
            stream=True,
            proxies={},
        ) as response:
            return HttpAnswer(response.status_code, response.headers, _body(response, deadline))

    def _prepare(self, request: SendRequest) -> requests.PreparedRequest:
        """All but key and body is the same each time, and preparing it costs a third of a call."""
        account = conf.api_base(), conf.api_key()
        if self._prepared is None or self._prepared[0] != account:
            base, key = account
            post = requests.Request(
                "POST", f"{base}/messages", headers={"Authorization": f"Bearer {key}"}
            )
            self._prepared = account, self._session.prepare_request(post)
        prepared = self._prepared[1]
        prepared.body = request.body
        prepared.headers["Content-Length"] = str(len(request.body))
        prepared.headers["Idempotency-Key"] = request.idempotency_key
        return prepared


def _body(response: requests.Response, deadline: float) -> bytes:
    """The body, up to a size and a moment: the read timeout alone bounds only each byte."""
    body = bytearray()
    # What is there, and not whole chunks: a body that drips in would fill one for as long as it likes.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            break
        if time.monotonic() > deadline:
            raise requests.ReadTimeout("The answer took too long to arrive.")
    return bytes(body)


def _lost(error: Exception) -> Verdict:
    """No answer: it certainly did not arrive only where no connection stood."""
    never_sent = isinstance(error, requests.ConnectTimeout) or _never_connected(error)
    return Verdict(
        outcome=Outcome.RETRYABLE if never_sent else Outcome.AMBIGUOUS,
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
    # Refused, unreachable, no such name: urllib3 calls each of them a new connection that failed.
    return isinstance(reason, NewConnectionError)
