"""A single HTTP call to a provider, bounded in time and size, without a retry."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError

from delivery import conf
from delivery.models import Outcome
from delivery.providers.base import SendOutcome

_LARGEST_ANSWER = 256 * 1024
_CHUNK = 16 * 1024
_LONGEST_PAUSE = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswerError(Exception):
    """The answer is missing. ``never_sent``: the connection failed, so the request did not arrive."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(type(cause).__name__)
        self.never_sent = isinstance(cause, requests.ConnectTimeout) or _never_connected(cause)


class Caller:
    """Calls over one kept-alive connection, for one thread."""

    def __init__(self) -> None:
        self._session = requests.Session()
        # Skip proxies and .netrc, which cost a look-up per call, and retries, which hide ambiguity.
        self._session.trust_env = False
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)

    def prepare(self, request: requests.Request) -> requests.PreparedRequest:
        return self._session.prepare_request(request)

    def call(self, request: requests.PreparedRequest) -> HttpAnswer:
        """Return the answer, of any status. Raises :class:`NoAnswerError`."""
        connect, read = conf.connect_timeout(), conf.read_timeout()
        deadline = time.monotonic() + connect + read
        try:
            # Use the adapter: the session's hooks, redirects and cookies cost a tenth of a call.
            with self._adapter.send(
                request, timeout=(connect, read), stream=True, proxies={}
            ) as response:
                return HttpAnswer(response.status_code, response.headers, _read(response, deadline))
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise NoAnswerError(error) from error

    def close(self) -> None:
        self._adapter.close()
        self._session.close()


def lost(error: NoAnswerError, provider: str) -> SendOutcome:
    """Return the outcome of a call without an answer."""
    return SendOutcome(
        kind=Outcome.RETRYABLE if error.never_sent else Outcome.AMBIGUOUS,
        code="connection_failed" if error.never_sent else "answer_lost",
        title=f"No connection to {provider}"
        if error.never_sent
        else f"The answer of {provider} was lost",
        detail=str(error),
        reached=False,
    )


def asked_pause(value: str) -> float | None:
    """Return the seconds of a ``Retry-After`` (RFC 9110, section 10.2.3) or a Unix time; else None."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError):
            return None
    if seconds != seconds:  # NaN
        return None
    if seconds > 1e9:
        seconds -= time.time()
    return min(max(seconds, 0.0), _LONGEST_PAUSE)


def _read(response: requests.Response, deadline: float) -> bytes:
    """Read the body up to a size and a moment: the read timeout alone bounds only each byte."""
    body = bytearray()
    # Available bytes, not whole chunks: a body that drips in would delay a chunk without a limit.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            break
        if time.monotonic() > deadline:
            raise requests.ReadTimeout("The answer took too long to arrive.")
    return bytes(body)


def _never_connected(error: Exception) -> bool:
    if not isinstance(error, requests.ConnectionError):
        return False
    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    # urllib3 reports a refused, unreachable or unknown host as a failed new connection.
    return isinstance(reason, NewConnectionError)
