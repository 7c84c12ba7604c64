"""Post a body to an address of an owner. Each call has a bound for time and size, and a checked host.

The connection goes to the numeric address that was checked. TLS still verifies the host's name.
Redirects are not followed, and no proxy of the environment is used.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import certifi
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError, SSLError
from urllib3.exceptions import TimeoutError as PoolTimeoutError
from urllib3.util import parse_url

from koinonia.webhooks.addresses import HostRefusedError, Reach, resolve
from koinonia.webhooks.deadlines import Deadlines

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
TOTAL_SECONDS = 15.0
_LARGEST_ANSWER = 4096
_EXCERPT = 200
_MOST_ADDRESSES = 3
_HOSTS_KEPT = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer, and the first characters of its body."""

    status: int
    excerpt: str
    seconds: float


class NoAnswerError(Exception):
    """No answer arrived. ``code`` is one of the constants of the class."""

    REFUSED = "host_refused"
    UNKNOWN = "host_unknown"
    CONNECT = "no_connection"
    TLS = "tls_failed"
    TIMEOUT = "timeout"
    BROKEN = "connection_broken"

    def __init__(self, code: str, seconds: float = 0.0) -> None:
        super().__init__(code)
        self.code = code
        self.seconds = seconds


class Poster:
    """Posts from any number of threads, over connections that stay open between two posts."""

    def __init__(
        self, reach: Reach = Reach.PUBLIC, *, per_host: int = 8, total_seconds: float = TOTAL_SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._total = total_seconds
        self._deadlines = Deadlines()
        self._pools = PoolManager(
            _HOSTS_KEPT,
            maxsize=per_host,
            timeout=Timeout(min(CONNECT_SECONDS, total_seconds), min(READ_SECONDS, total_seconds)),
            # All connections share a context, because it takes 20 ms to read the certificates.
            ssl_context=context or ssl.create_default_context(cafile=certifi.where()),
        )
        self._pools.pool_classes_by_scheme = _pool_classes(reach, self._deadlines)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer, of any status. Raise NoAnswerError."""
        began = time.monotonic()
        self._deadlines.begin(self._total)
        error: Exception | None = None
        try:
            status, excerpt = self._post(url, body, headers)
        except (NoAnswerError, HTTPError, OSError, ValueError) as raised:
            error = raised
        is_cut = self._deadlines.end()
        seconds = time.monotonic() - began
        if error is not None or is_cut:
            code = NoAnswerError.TIMEOUT if is_cut or error is None else _code(error)
            raise NoAnswerError(code, seconds) from error
        return Answer(status, excerpt, seconds)

    def close(self) -> None:
        """Close the connections that are idle."""
        self._pools.clear()

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        pool = self._pools.connection_from_url(url)
        answer = pool.urlopen(
            "POST", parse_url(url).request_uri, body=body, headers=headers, redirect=False, retries=False,
            preload_content=False, decode_content=False,
        )  # fmt: skip
        return answer.status, _excerpt(_first_bytes(answer))


def _first_bytes(answer: Any) -> bytes:
    """Return the beginning of the body. Keep the connection if that was all of it."""
    response: HTTPResponse = answer
    try:
        found = response.read(_LARGEST_ANSWER + 1)
    except (HTTPError, OSError):
        response.close()
        return b""
    if len(found) > _LARGEST_ANSWER:
        response.close()
    else:
        response.release_conn()
    return found


def _excerpt(body: bytes) -> str:
    text = body[: 4 * _EXCERPT].decode(errors="replace")
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:_EXCERPT]


def _code(error: Exception) -> str:
    if isinstance(error, NoAnswerError):
        return error.code
    if isinstance(error, SSLError):
        return NoAnswerError.TLS
    if isinstance(error, PoolTimeoutError):
        return NoAnswerError.TIMEOUT
    if isinstance(error, LocationParseError):
        return NoAnswerError.UNKNOWN
    return NoAnswerError.BROKEN


def _open(connection: HTTPConnection, reach: Reach) -> socket.socket:
    """Return a socket that is connected to a checked address. Raise NoAnswerError."""
    host = connection.host.strip("[]")
    try:
        found = resolve(host, connection.port, reach)
    except HostRefusedError as error:
        raise NoAnswerError(NoAnswerError.REFUSED) from error
    except (OSError, UnicodeError) as error:
        raise NoAnswerError(NoAnswerError.UNKNOWN) from error
    for family, kind, protocol, _, address in found[:_MOST_ADDRESSES]:
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(CONNECT_SECONDS)
            opened.connect(address)
        except OSError:
            opened.close()
            continue
        return opened
    raise NoAnswerError(NoAnswerError.CONNECT)


def _pool_classes(reach: Reach, deadlines: Deadlines) -> dict[str, Any]:
    """Return urllib3's classes of pools, with connections that ``_open`` opens."""

    class Checked(HTTPConnection):
        # A second descriptor of the connection: TLS takes the first one away.
        line: socket.socket | None = None

        def _new_conn(self) -> socket.socket:
            opened = _open(self, reach)
            self.line = opened.dup()
            deadlines.follow(self.line)
            return opened

        def request(self, *arguments: Any, **options: Any) -> None:
            if self.line is not None:
                deadlines.follow(self.line)
            super().request(*arguments, **options)

        def close(self) -> None:
            super().close()
            if self.line is not None:
                self.line.close()
                self.line = None

    class CheckedByTls(Checked, HTTPSConnection):
        pass

    class Plain(HTTPConnectionPool):
        ConnectionCls = Checked

    class ByTls(HTTPSConnectionPool):
        ConnectionCls = CheckedByTls

    return {"http": Plain, "https": ByTls}
