"""What the conformance suite needs of a provider: a rig, with its simulator behind it.

A provider's rig is ``tests/delivery/providers/<key>/rig.py``: a class ``TheRig`` with the methods of
:class:`Rig`. The suite (``test_conformance.py``) finds it by its folder.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

OURS = "+13125550100"
"""The sending number of Grace church, and of the account."""
PERSON = "+13125550155"


class Situation(Enum):
    """The next call for one recipient meets this. Each is used up by one call."""

    REFUSED_NUMBER = "permanent: this number cannot be texted"
    STOPPED = "permanent, opted out: the person sent STOP before"
    SENDER_REFUSED = "configuration: the sending number may not send"
    ACCOUNT_REFUSED = "configuration, hold: the account or its credentials"
    THROTTLED = "throttled: slow down"
    NOT_TAKEN = "retryable: the provider itself says that it did not take the text"
    SERVER_ERROR = "ambiguous: a bare error of the server or of a proxy"
    TAKEN_ANSWER_LOST = "ambiguous: the provider took the text, and the connection broke"
    TAKEN_UNREADABLE = "ambiguous: the provider took the text, and its answer has no id"
    FAILS_LATER = "accepted; then the carrier reports a failure"


@dataclass(frozen=True)
class Webhook:
    """A call of the provider to our site."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        found = {name.lower(): value for name, value in self.headers.items()}
        return found.get("content-type", "")


class Site:
    """Our public origin: keeps each webhook and answers 200, so that the suite can pass them on in any
    order."""

    def __init__(self) -> None:
        kept, changed = list[Webhook](), threading.Condition()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with changed:
                    kept.append(Webhook(self.path, dict(self.headers.items()), body))
                    changed.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._kept, self._changed = kept, changed
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def wait_for(
        self, count: int, only: Callable[[Webhook], bool] = lambda _: True
    ) -> list[Webhook]:
        """Return the first ``count`` webhooks that ``only`` chooses; fail after ten seconds."""

        def chosen() -> list[Webhook]:
            return [webhook for webhook in self._kept if only(webhook)]

        with self._changed:
            came = self._changed.wait_for(lambda: len(chosen()) >= count, 10)
            assert came, f"Only {[webhook.body for webhook in self._kept]} came."
            return chosen()[:count]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Rig(AbstractContextManager["Rig"], ABC):
    """One provider under test, with a simulator that runs while the rig is entered."""

    situations: frozenset[Situation] = frozenset(Situation)
    """The situations that this provider knows. Leave one out only with a reason in a comment."""
    codes: tuple[str, ...]
    """The codes that the provider explains."""
    reports: int
    """The number of status webhooks of a delivered text."""

    def __init__(self, site: Site, alias: str) -> None:
        self.site = site
        self.alias = alias

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """Return ``DELIVERY["PROVIDERS"][alias]``, the ``BACKEND`` included."""

    @abstractmethod
    def meets(self, situation: Situation, to: str) -> None:
        """Make the next call for ``to`` meet ``situation``."""

    @abstractmethod
    def start_outage(self) -> None:
        """Refuse every connection."""

    @abstractmethod
    def taken(self) -> int:
        """Return how many texts the provider took, repeats by key not counted."""

    @abstractmethod
    def without_webhooks(self) -> None:
        """Let the provider lose every webhook from now on."""

    @abstractmethod
    def writes_to_us(self, text: str, *, person: str, number: str) -> None:
        """Let a person text one of the account's numbers; the webhook goes to ``site``."""

    @abstractmethod
    def forged(self, webhook: Webhook) -> Webhook:
        """Return ``webhook`` with another content under the old signature."""

    @abstractmethod
    def unsigned(self, webhook: Webhook) -> Webhook:
        """Return ``webhook`` without its signature."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None
