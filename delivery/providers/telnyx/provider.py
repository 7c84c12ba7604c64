"""Telnyx as a provider: https://developers.telnyx.com/docs/messaging."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error

from delivery.providers.base import (
    Account,
    Capabilities,
    DeliveryReport,
    InboundText,
    NotConfiguredError,
    OutboundText,
    ProviderEvent,
    Question,
    SendOutcome,
    WebhookRequest,
    account_name,
)
from delivery.providers.one_call import HttpProvider
from delivery.providers.telnyx import codes, events, signature
from delivery.providers.telnyx.client import Client
from delivery.providers.telnyx.lookup import LookUp
from delivery.providers.telnyx.plain_fields import PLAIN_FIELDS
from delivery.remedies import Remedy


class TelnyxProvider(HttpProvider):
    """A Telnyx account. Settings: ``API_KEY``, ``API_BASE``, ``PUBLIC_KEY``."""

    key = "telnyx"
    name = "Telnyx"
    plain_fields = PLAIN_FIELDS
    capabilities = Capabilities(
        # "Idempotency", developers.telnyx.com/docs/development/api-fundamentals/idempotency.
        key_memory=timedelta(hours=24),
        look_up_by_id=True,
        look_up_by_content=True,
        event_times=True,
        parts_in_answer=True,
        callback_per_message=True,
        failed_webhooks_come_again=True,
    )

    def __init__(self, alias: str = "") -> None:
        super().__init__(alias)
        self._client = Client(self.caller)

    @property
    def api_key(self) -> str:
        return str(self.options.get("API_KEY", ""))

    @property
    def api_base(self) -> str:
        return str(self.options.get("API_BASE") or "https://api.telnyx.com/v2").rstrip("/")

    @property
    def public_keys(self) -> list[str]:
        """Return base64 of 32 bytes each, two while the key rotates; empty without webhooks."""
        given = self.options.get("PUBLIC_KEY") or ()
        keys = given.split(",") if isinstance(given, str) else given
        return [key.strip() for key in keys if key.strip()]

    @property
    def account(self) -> Account:
        return Account(self.alias, account_name(self.api_base, self.api_key))

    def send(self, text: OutboundText) -> SendOutcome:
        return self._client.send(text, base=self.api_base, api_key=self.api_key)

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        signature.verify(
            signature.public_keys(self.public_keys),
            timestamp=request.headers.get("telnyx-timestamp", ""),
            signature=request.headers.get("telnyx-signature-ed25519", ""),
            body=request.body,
            now=request.now.timestamp(),
        )
        return [events.event(events.document(request.body), ref=request.ref, now=request.now)]

    def read_event(self, event: ProviderEvent) -> DeliveryReport | InboundText | None:
        return events.read(event)

    def look_up(self, question: Question, now: datetime) -> DeliveryReport | None:
        return LookUp(self.caller, self.api_base, self.api_key).answer(question, now)

    def explain(self, code: str) -> str:
        return str(codes.EXPLANATIONS.get(code, ""))

    def remedy(self, code: str) -> Remedy | None:
        return codes.REMEDIES.get(code)

    def remedies(self) -> Mapping[str, Remedy]:
        return codes.remedies()

    def check(self) -> Iterable[CheckMessage]:
        parts = urlsplit(self.api_base)
        if not (parts.scheme in {"http", "https"} and parts.netloc):
            yield Error(
                f"API_BASE of the provider {self.alias!r} is {self.api_base!r}, which is no http or "
                "https URL.",
                hint="Give it with its scheme and host.",
                id="delivery.E004",
            )
        if self.public_keys:
            try:
                signature.public_keys(self.public_keys)
            except NotConfiguredError:
                yield Error(
                    f"PUBLIC_KEY of the provider {self.alias!r} is not base64 of 32 bytes: no webhook "
                    "will be trusted.",
                    hint="Copy it from Keys & Credentials in Telnyx's Mission Control.",
                    id="delivery.E007",
                )
