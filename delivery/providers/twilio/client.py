"""``POST Messages.json``: one text, one call, and no key that would make a repeat safe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

import requests

from delivery.providers.base import OutboundText, SendOutcome
from delivery.providers.one_call import Caller, NoAnswerError, lost
from delivery.providers.twilio.answer import outcome
from delivery.providers.twilio.signature import RETRY_OVERRIDES

_LONGEST_VALIDITY = 36_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """The address of the API and the caller: an API key with its secret, or the account with its token."""

    base: str
    account_sid: str
    user: str
    password: str = field(repr=False)

    @property
    def messages_path(self) -> str:
        # Without ".json" Twilio answers XML.
        return f"/2010-04-01/Accounts/{self.account_sid}/Messages"

    def request(
        self, method: str, path: str, parameters: Mapping[str, str] | None = None
    ) -> requests.Request:
        return requests.Request(
            method,
            self.base + path,
            params=parameters,
            auth=(self.user, self.password),
            headers={"Accept": "application/json"},
        )


class Client:
    """Hands texts to Twilio over one kept-alive connection, for one thread."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._prepared: tuple[Access, requests.PreparedRequest] | None = None

    def send(self, text: OutboundText, access: Access, now: datetime) -> SendOutcome:
        """Make one call. Never raises."""
        try:
            return outcome(
                self._caller.call(self._prepare(form(text, now), access, text.traceparent))
            )
        except NoAnswerError as error:
            return lost(error, "Twilio")

    def _prepare(self, body: bytes, access: Access, traceparent: str) -> requests.PreparedRequest:
        """Reuse the prepared request: preparing all but the body costs a third of a call."""
        if self._prepared is None or self._prepared[0] != access:
            request = access.request("POST", f"{access.messages_path}.json")
            request.headers["Content-Type"] = "application/x-www-form-urlencoded"
            self._prepared = access, self._caller.prepare(request)
        prepared = self._prepared[1]
        prepared.body = body
        prepared.headers["Content-Length"] = str(len(body))
        # The prepared request may still have the trace of another text.
        prepared.headers.pop("traceparent", None)
        if traceparent:
            prepared.headers["traceparent"] = traceparent
        return prepared


def form(text: OutboundText, now: datetime) -> bytes:
    """Return the form of the request."""
    fields = [("To", text.to_number), ("From", text.from_number)]
    if text.text:
        fields.append(("Body", text.text))
    fields += [("MediaUrl", url) for url in text.media_urls]
    if text.callback_url:
        fields.append(("StatusCallback", text.callback_url + RETRY_OVERRIDES))
    if text.expires_at is not None:
        left = int((text.expires_at - now).total_seconds())
        fields.append(("ValidityPeriod", str(min(max(left, 1), _LONGEST_VALIDITY))))
    return urlencode(fields).encode()
