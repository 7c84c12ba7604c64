"""Twilio as a provider: https://www.twilio.com/docs/messaging."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error
from django.http import HttpResponse

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
from delivery.providers.twilio import codes, reports, webhooks
from delivery.providers.twilio.client import Access, Client
from delivery.providers.twilio.lookup import LookUp
from delivery.providers.twilio.plain_fields import PLAIN_FIELDS
from delivery.remedies import Remedy

_ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class TwilioProvider(HttpProvider):
    """A Twilio account. Settings: ``ACCOUNT_SID``, ``AUTH_TOKEN``, ``API_KEY``, ``API_SECRET``,
    ``API_BASE``.

    ``AUTH_TOKEN`` may be a list while the token rotates: any of its tokens may sign a webhook, and the
    first calls the API if the settings lack an API key.
    """

    key = "twilio"
    name = "Twilio"
    plain_fields = PLAIN_FIELDS
    capabilities = Capabilities(
        key_memory=None,
        look_up_by_id=True,
        look_up_by_content=True,
        parts_in_answer=True,
        expiry_at_provider=True,
        callback_per_message=True,
    )

    def __init__(self, alias: str = "") -> None:
        super().__init__(alias)
        self._client = Client(self.caller)

    @property
    def account_sid(self) -> str:
        return str(self.options.get("ACCOUNT_SID", ""))

    @property
    def auth_tokens(self) -> tuple[str, ...]:
        given = self.options.get("AUTH_TOKEN", "")
        return tuple(filter(None, [given] if isinstance(given, str) else map(str, given)))

    @property
    def api_base(self) -> str:
        return str(self.options.get("API_BASE") or "https://api.twilio.com").rstrip("/")

    @property
    def access(self) -> Access:
        key = str(self.options.get("API_KEY", ""))
        return Access(
            base=self.api_base,
            account_sid=self.account_sid,
            user=key or self.account_sid,
            password=str(self.options.get("API_SECRET", ""))
            if key
            else next(iter(self.auth_tokens), ""),
        )

    @property
    def account(self) -> Account:
        # The name contains no secret, so a new token or key keeps the breaker and the holds.
        return Account(self.alias, account_name(self.api_base, self.account_sid))

    def send(self, text: OutboundText) -> SendOutcome:
        return self._client.send(text, self.access, datetime.now(UTC))

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        if not self.auth_tokens or not self.account_sid:
            raise NotConfiguredError("Twilio's AUTH_TOKEN or ACCOUNT_SID is not set.")
        return [webhooks.event(request, tokens=self.auth_tokens, account_sid=self.account_sid)]

    def webhook_response(self, events: Sequence[ProviderEvent]) -> HttpResponse:
        """Answer with empty TwiML: Twilio would text any other 200 body back to the sender."""
        return HttpResponse(_EMPTY_TWIML, content_type="text/xml; charset=utf-8")

    def read_event(self, event: ProviderEvent) -> DeliveryReport | InboundText | None:
        return reports.read(event)

    def look_up(self, question: Question, now: datetime) -> DeliveryReport | None:
        return LookUp(self.caller, self.access).answer(question, now)

    def explain(self, code: str) -> str:
        return codes.explain(code)

    def remedy(self, code: str) -> Remedy | None:
        return codes.remedy(code)

    def remedies(self) -> Mapping[str, Remedy]:
        return codes.remedies()

    def check(self) -> Iterable[CheckMessage]:
        if not _ACCOUNT_SID.fullmatch(self.account_sid):
            yield self._error(
                "ACCOUNT_SID", "is not AC and 32 hexadecimal digits.", "delivery.twilio.E001"
            )
        if not self.auth_tokens:
            yield self._error(
                "AUTH_TOKEN", "is empty: no webhook can be trusted.", "delivery.twilio.E002"
            )
        if bool(self.options.get("API_KEY")) != bool(self.options.get("API_SECRET")):
            yield self._error(
                "API_KEY", "and API_SECRET must be set together.", "delivery.twilio.E003"
            )
        parts = urlsplit(self.api_base)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
            yield self._error(
                "API_BASE", "is not an origin such as https://api.twilio.com.",
                "delivery.twilio.E004",
            )  # fmt: skip

    def _error(self, name: str, problem: str, check_id: str) -> Error:
        return Error(
            f"{name} of the provider {self.alias!r} {problem}",
            hint="Copy it from Account > API keys & tokens in Twilio's console.",
            id=check_id,
        )
