"""Signed form posts to our webhooks: status callbacks and inbound texts.

Twilio repeats a call once, and only if it could not connect. The fragment of the URL overrides that:
``#rc=5&rp=all`` (``rc``: retries, 0 to 5; ``rp``: after 4xx, 5xx, ct, rt, all). A retry has the same
``I-Twilio-Idempotency-Token``.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlencode

from delivery.providers.simulator.timers import Timers
from delivery.providers.simulator.webhooks import Failure, Webhook, Webhooks
from delivery.providers.twilio.signature import compute
from delivery.providers.twilio.simulator.options import Options

_RETRY_SECONDS = 0.1
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_KINDS = {
    Failure.NO_CONNECTION: "ct",
    Failure.NO_ANSWER: "rt",
    Failure.CLIENT_ERROR: "4xx",
    Failure.SERVER_ERROR: "5xx",
}
"""The kinds of failure in ``rp``."""


@dataclass(frozen=True, kw_only=True)
class Callback(Webhook):
    """A webhook call on its way to one URL."""

    url: str
    fields: Mapping[str, str]
    token: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def address(self) -> str:
        return self.url.partition("#")[0]

    def body(self) -> bytes:
        return urlencode(self.fields).encode()

    def may_repeat(self, kind: str) -> bool:
        overrides = parse_qs(self.url.partition("#")[2])
        retries = int(overrides.get("rc", ["1"])[0])
        kinds = set(overrides.get("rp", ["ct"])[0].split(","))
        return self.attempt <= retries and bool(kinds & {kind, "all"})


class Callbacks(Webhooks[Callback]):
    connect_seconds = 5

    def __init__(self, options: Options, timers: Timers, auth_token: str) -> None:
        super().__init__(options, timers)
        self._options, self._auth_token = options, auth_token

    def headers(self, webhook: Callback, body: bytes) -> Mapping[str, str]:
        headers = {
            "Content-Type": _FORM,
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": webhook.token,
        }
        if webhook.signature == "missing":
            return headers
        token = self._auth_token if webhook.signature == "good" else secrets.token_hex(16)
        url = webhook.url if self._options.sign_fragment else webhook.address
        fields = {name: [value] for name, value in webhook.fields.items()}
        return headers | {"X-Twilio-Signature": compute(token, url, fields)}

    def following(self, webhook: Callback, failure: Failure) -> tuple[float, Callback] | None:
        if not webhook.may_repeat(_KINDS[failure]):
            return None
        return _RETRY_SECONDS, replace(webhook, attempt=webhook.attempt + 1)
