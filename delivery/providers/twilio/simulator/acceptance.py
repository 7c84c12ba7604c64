"""POST Messages.json: faults, validation, opt-outs, the sender's queue, the ledger, the answer."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from delivery.providers.simulator.faults import Fault, changes_of, first_refusal, spoil
from delivery.providers.simulator.ledger import Entry
from delivery.providers.simulator.numbers import QueueFullError
from delivery.providers.simulator.server import Answer, Request, json_answer
from delivery.providers.twilio.simulator.account import Account
from delivery.providers.twilio.simulator.errors import RefusedError
from delivery.providers.twilio.simulator.faults import MAGIC_RECIPIENTS, Fate, code_of_sender
from delivery.providers.twilio.simulator.messages import Message

_TO = re.compile(r"\+[1-9]\d{6,14}")
_FROM = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-f]{32}")
_LONGEST_BODY = 1600
_LONGEST_URL = 4000
_MOST_MEDIA = 10


class Acceptance:
    def __init__(self, account: Account) -> None:
        self._account = account

    def post(self, request: Request) -> Answer:
        """Create a text for each call: Twilio has no idempotency key, so a repeat doubles the text."""
        form = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        ledger = self._account.ledger
        faults = self._account.plan.draw(form.get("To", [""])[0])
        if (refusal := first_refusal(faults)) is not None:
            ledger.refuse(refusal.name)
            return refusal.answer
        try:
            message = self._message_of(form)
            answer = self._accept(message, faults)
        except RefusedError as error:
            ledger.refuse(str(error.code))
            return error.answer
        time.sleep(self._account.options.latency_ms / 1000)
        return spoil(answer, faults)

    def _accept(self, message: Message, faults: list[Fault]) -> Answer:
        account, fate = self._account, replace(Fate(), **changes_of(faults))
        sender = message.from_ or account.number_of_service()
        if account.is_blocked(sender, message.to):
            if message.status != "accepted":
                detail = f"Attempt to send to unsubscribed recipient {message.to}"
                raise RefusedError(21610, detail)
            # A Messaging Service checks late.
            fate = replace(fate, status="failed", code=21610)
        try:
            wait = account.queues.reserve(
                sender, message.parts, rate=account.options.rate,
                longest=account.options.queue_seconds,
            )  # fmt: skip
        except QueueFullError as error:
            raise RefusedError(21611) from error
        answer = json_answer(message.resource(), 201, {"Twilio-Request-Id": "RQ" + message.sid[2:]})
        message.from_ = sender
        account.messages.add(message)
        account.ledger.accept(
            Entry(
                id=message.sid, to=message.to, from_=sender, text=message.body,
                idempotency_key=None, accepted_at=message.created_at.isoformat(),
            )
        )  # fmt: skip
        account.carrier.take(message, fate, wait)
        return answer

    def _message_of(self, form: dict[str, list[str]]) -> Message:
        """Return the text in ``form``; raise RefusedError for the first mistake."""
        to, media = _one(form, "To"), tuple(form.get("MediaUrl", ()))
        if not to:
            raise RefusedError(21604)
        if not _TO.fullmatch(to):
            raise RefusedError(21211, f"The 'To' number {to} is not a valid phone number.")
        service = _one(form, "MessagingServiceSid")
        sender = self._sender(_one(form, "From"), service)
        if to in MAGIC_RECIPIENTS:
            raise RefusedError(MAGIC_RECIPIENTS[to])
        body = _one(form, "Body")
        _check_content(body, media)
        return Message(
            account_sid=self._account.credentials.account_sid,
            from_=sender,
            to=to,
            body=body,
            media_urls=media,
            service_sid=service or None,
            status="accepted" if service else "queued",
            status_callback=_callback(form),
            validity_seconds=_validity(form),
        )

    def _sender(self, sender: str, service: str) -> str | None:
        if service and not _SERVICE.fullmatch(service):
            raise RefusedError(21701)
        if not sender:
            if not service:
                raise RefusedError(21603)
            return None
        if (code := code_of_sender(sender)) is not None:
            raise RefusedError(code)
        if not _FROM.fullmatch(sender):
            raise RefusedError(21212)
        if not self._account.numbers.has(sender):
            raise RefusedError(21606)
        return sender


def _one(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[-1]


def _check_content(body: str, media: tuple[str, ...]) -> None:
    if not body and not media:
        raise RefusedError(21602)
    if len(body) > _LONGEST_BODY:
        raise RefusedError(21617)
    if len(media) > _MOST_MEDIA:
        raise RefusedError(21623)
    if not all(_is_url(url) for url in media):
        raise RefusedError(21620)


def _callback(form: dict[str, list[str]]) -> str:
    url = _one(form, "StatusCallback")
    if url and (len(url) > _LONGEST_URL or not _is_url(url) or "_" in (urlsplit(url).netloc)):
        raise RefusedError(21609)
    return url


def _validity(form: dict[str, list[str]]) -> int:
    given = _one(form, "ValidityPeriod") or "36000"
    if not given.isdecimal() or not 1 <= int(given) <= 36_000:
        raise RefusedError(21624)
    return int(given)


def _is_url(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
