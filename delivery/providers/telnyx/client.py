"""``POST /v2/messages``, without retries below the engine."""

from __future__ import annotations

import json
from typing import Any

import requests

from delivery.providers.base import OutboundText, SendOutcome
from delivery.providers.one_call import Caller, NoAnswerError, lost
from delivery.providers.telnyx.answer import outcome


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

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._prepared: tuple[tuple[str, str], requests.PreparedRequest] | None = None

    def send(self, text: OutboundText, *, base: str, api_key: str) -> SendOutcome:
        """Make one call. Never raises."""
        try:
            return outcome(self._caller.call(self._prepare(text, (base, api_key))))
        except NoAnswerError as error:
            return lost(error, "Telnyx")

    def _prepare(self, text: OutboundText, account: tuple[str, str]) -> requests.PreparedRequest:
        """Reuse the prepared request: preparing all but key and body costs a third of a call."""
        if self._prepared is None or self._prepared[0] != account:
            base, key = account
            headers = {
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
                "Accept": "application/json",
            }
            post = requests.Request("POST", f"{base}/messages", headers=headers)
            self._prepared = account, self._caller.prepare(post)
        prepared = self._prepared[1]
        prepared.body = body(text)
        prepared.headers["Content-Length"] = str(len(prepared.body))
        prepared.headers["Idempotency-Key"] = text.idempotency_key
        # The prepared request may still have the trace of another text.
        prepared.headers.pop("traceparent", None)
        if text.traceparent:
            prepared.headers["traceparent"] = text.traceparent
        return prepared
