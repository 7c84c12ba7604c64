"""The path of an accepted text: queue, carrier, phone, and a webhook for each step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from delivery.providers.simulator.timers import Timers
from delivery.providers.telnyx.simulator.answers import error_object
from delivery.providers.telnyx.simulator.faults import Fate
from delivery.providers.telnyx.simulator.messages import Message, Messages
from delivery.providers.telnyx.simulator.options import Options
from delivery.providers.telnyx.simulator.webhooks import Webhook, Webhooks, event


class Carrier:
    def __init__(
        self, options: Options, timers: Timers, messages: Messages, webhooks: Webhooks
    ) -> None:
        self._options, self._timers = options, timers
        self._messages, self._webhooks = messages, webhooks

    def take(self, message: Message, fate: Fate, wait: float) -> None:
        """Send a text after ``wait`` seconds in its sender's queue.

        With ``fate.before_answer``, return after its webhooks have arrived.
        """
        if fate.before_answer:
            self._at_once(message, fate)
            return
        validity = self._options.validity_seconds
        if wait > validity:
            expiry = Fate(status="sending_failed", code="40014", signature=fate.signature)
            self._timers.after(validity, lambda: self._finalize(message, expiry))
            return
        self._timers.after(wait + self._options.sent_seconds, lambda: self._leave(message, fate))

    def schedule(self, message: Message, fate: Fate, seconds: float) -> None:
        """Send a text at ``send_at`` if it is still scheduled then."""
        self._timers.after(seconds, lambda: self._release(message, fate))

    def cancel(self, message: Message) -> bool:
        """Cancel a scheduled text. Return False if it is not scheduled."""
        with self._messages.lock:
            if message.status != "scheduled":
                return False
            message.status = "cancelled"
            return True

    def deliver_inbound(self, message: Message) -> None:
        payload = message.resource()
        payload["webhook_url"] = self._options.webhook_url
        self._webhooks.send(Webhook(data=event("message.received", payload), urls=self._profile()))

    def _release(self, message: Message, fate: Fate) -> None:
        with self._messages.lock:
            if message.status != "scheduled":
                return
            message.status = "queued"
            message.valid_until = datetime.now(UTC) + timedelta(
                seconds=self._options.validity_seconds
            )
        self.take(message, fate, 0)

    def _leave(self, message: Message, fate: Fate) -> None:
        """Move a text from the queue to the carrier."""
        if fate.status == "sending_failed":
            self._finalize(message, fate)
            return
        sent = self._send(message, fate)
        if fate.reordered:
            self._finalize(message, fate, then=sent)
            return
        self._emit(message, fate, sent)
        if fate.finalized:
            self._timers.after(self._options.carrier_seconds, lambda: self._finalize(message, fate))

    def _send(self, message: Message, fate: Fate) -> bytes:
        with self._messages.lock:
            message.status, message.sent_at = "sent", datetime.now(UTC)
        return self._event("message.sent", message, fate)

    def _finalize(self, message: Message, fate: Fate, then: bytes | None = None) -> None:
        """Send an event. ``then`` is an older event that is sent after this one has arrived."""
        finalized = self._emit(message, fate, self._finish(message, fate))
        if then is not None:
            self._webhooks.once_settled(finalized, lambda: self._emit(message, fate, then))
        if fate.unknown_event:
            self._emit(message, fate, self._event("message.pondered", message, fate))

    def _finish(self, message: Message, fate: Fate) -> bytes:
        with self._messages.lock:
            message.status, message.completed_at = fate.status, datetime.now(UTC)
            message.has_cost = True
            if fate.code:
                message.errors = [error_object(fate.code)]
        return self._event("message.finalized", message, fate)

    def _at_once(self, message: Message, fate: Fate) -> None:
        """Send both webhooks now, in order, before the client gets its answer."""
        for data in (self._send(message, fate), self._finish(message, fate)):
            self._webhooks.wait_for(self._emit(message, fate, data))

    def _event(self, event_type: str, message: Message, fate: Fate) -> bytes:
        payload = message.resource()
        if not fate.unknown_field:
            return event(event_type, payload)
        return event(event_type, payload | {"mood": "hopeful"}, weather={"wind": 3})

    def _emit(self, message: Message, fate: Fate, data: bytes) -> list[Webhook]:
        if fate.lost:
            return []
        webhook = Webhook(data=data, urls=self._urls(message), signature=fate.signature)
        return self._webhooks.send_copies(webhook, fate.copies, fate.delay)

    def _urls(self, message: Message) -> tuple[str, ...]:
        """Return the text's own URL and then the profile's, each with its failover."""
        own = (message.webhook_url, message.webhook_failover_url)
        profile = self._profile() if message.use_profile_webhooks else ()
        return tuple(dict.fromkeys(url for url in (*own, *profile) if url))

    def _profile(self) -> tuple[str, ...]:
        urls = (self._options.webhook_url, self._options.webhook_failover_url)
        return tuple(url for url in urls if url)
