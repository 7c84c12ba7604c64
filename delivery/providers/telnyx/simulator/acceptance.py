"""POST /v2/messages: faults, idempotency, validation, opt-outs, the queue, the ledger, the answer."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

from delivery.providers.simulator.faults import Fault, changes_of, first_refusal, spoil
from delivery.providers.simulator.ledger import Entry
from delivery.providers.simulator.numbers import QueueFullError
from delivery.providers.simulator.server import Answer, Request, json_answer
from delivery.providers.telnyx.simulator.account import Account
from delivery.providers.telnyx.simulator.answers import RefusedError
from delivery.providers.telnyx.simulator.faults import Fate
from delivery.providers.telnyx.simulator.idempotency import MAX_BODY, key_of
from delivery.providers.telnyx.simulator.messages import Message, timestamp
from delivery.providers.telnyx.simulator.validation import content_of, message_of


class Acceptance:
    def __init__(self, account: Account) -> None:
        self._account = account

    def post(self, request: Request) -> Answer:
        """Accept a text to send now (or at ``send_at``), once per idempotency key."""
        ledger = self._account.ledger
        try:
            content = content_of(request.body)
            key = key_of(request.header_values("Idempotency-Key"))
            to = content.get("to")
            faults = self._account.plan.draw(to if isinstance(to, str) else "")
            if (refusal := first_refusal(faults)) is not None:
                ledger.refuse(refusal.name)
                return refusal.answer
            answer = self._once(request, content, key, faults)
        except RefusedError as error:
            ledger.refuse(error.code)
            return error.answer
        return answer

    def _once(
        self, request: Request, content: dict[str, Any], key: str | None, faults: list[Fault]
    ) -> Answer:
        if key is None or request.path.endswith("/schedule"):
            return self._act(content, None, faults)[1]
        if len(request.body) > MAX_BODY:
            return Answer(status=413)
        target = f"{request.method} {request.path}"
        fingerprint = request.query.encode() + b"\n" + request.body
        replay = self._account.idempotency.begin(target, key, fingerprint)
        if replay is not None:
            self._account.ledger.replay(key)
            return spoil(replay, faults)
        true_answer = None
        try:
            true_answer, answer = self._act(content, key, faults)
        finally:
            self._account.idempotency.finish(target, key, true_answer)
        return answer

    def _act(
        self, content: dict[str, Any], key: str | None, faults: list[Fault]
    ) -> tuple[Answer | None, Answer]:
        """Return the true answer if the text was accepted (a replay repeats it), and the answer to
        send."""
        message = message_of(content, self._account.options)
        self._check_sender(content, message)
        faults = faults + self._fault_of(message.to)
        refusal = first_refusal(faults)
        if refusal is not None:
            self._account.ledger.refuse(refusal.name)
            return None, refusal.answer
        true_answer = self._accept(message, key, replace(Fate(), **changes_of(faults)))
        time.sleep(self._account.options.latency_ms / 1000)
        return true_answer, spoil(true_answer, faults)

    def _check_sender(self, content: dict[str, Any], message: Message) -> None:
        """Refuse a sender of another account.

        A text with only a profile (a number pool) has no sender.
        """
        if content.get("from") is not None and not self._account.numbers.has(message.from_):
            detail = f"'{message.from_}' is not associated with your messaging profile."
            raise RefusedError("40305", detail, pointer="/from")

    def _fault_of(self, to: str) -> list[Fault]:
        fault = self._account.recipients.fault_of(to)
        return [] if fault is None else [fault]

    def _accept(self, message: Message, key: str | None, fate: Fate) -> Answer:
        account = self._account
        if account.opt_outs.is_blocked(account.scope_of(message.profile_id), message.to):
            detail = (
                f"Messages cannot be sent from '{message.from_}' to '{message.to}' "
                "due to an existing block rule."
            )
            raise RefusedError("40300", detail, pointer="/to")
        message.has_cost = fate.has_cost
        if message.send_at is not None:
            return self._schedule(message, key, fate)
        message.wait_seconds = self._queue(message)
        message.valid_until = message.received_at + timedelta(
            seconds=account.options.validity_seconds
        )
        answer = json_answer({"data": message.resource()})
        self._record(message, key)
        account.carrier.take(message, fate, message.wait_seconds)
        return answer

    def _schedule(self, message: Message, key: str | None, fate: Fate) -> Answer:
        message.status = "scheduled"
        answer = json_answer({"data": message.resource()})
        self._record(message, key)
        assert message.send_at is not None  # noqa: S101 -- the caller's condition, for mypy
        seconds = (message.send_at - message.received_at).total_seconds()
        self._account.carrier.schedule(message, fate, seconds)
        return answer

    def _queue(self, message: Message) -> float:
        options = self._account.options
        try:
            return self._account.queues.reserve(
                message.from_, message.parts, rate=options.rate, longest=options.queue_seconds
            )
        except QueueFullError as error:
            raise RefusedError("40318", f"The queue of '{message.from_}' is full.") from error

    def _record(self, message: Message, key: str | None) -> None:
        self._account.messages.add(message)
        self._account.ledger.accept(
            Entry(
                id=message.id, to=message.to, from_=message.from_, text=message.text or "",
                idempotency_key=key, accepted_at=timestamp(message.received_at),
            )
        )  # fmt: skip
