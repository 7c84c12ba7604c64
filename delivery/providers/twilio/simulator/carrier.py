"""The way of an accepted text: queue, carrier, phone, and a status callback for each step.

No callback tells the first status: ``queued``, or ``accepted`` where a Messaging Service sends (its
``queued`` is called back).
"""

from __future__ import annotations

from datetime import UTC, datetime

from delivery.providers.simulator.timers import Timers
from delivery.providers.twilio.simulator.callbacks import Callback, Callbacks
from delivery.providers.twilio.simulator.errors import ASYNCHRONOUS
from delivery.providers.twilio.simulator.faults import Fate
from delivery.providers.twilio.simulator.messages import API_VERSION, Message, Messages
from delivery.providers.twilio.simulator.options import Options


class Carrier:
    def __init__(
        self, options: Options, timers: Timers, messages: Messages, callbacks: Callbacks
    ) -> None:
        self._options, self._timers = options, timers
        self._messages, self._callbacks = messages, callbacks

    def take(self, message: Message, fate: Fate, wait: float) -> None:
        """Send ``message`` after ``wait`` seconds in its sender's queue.

        With ``fate.before_answer`` this returns when all callbacks have arrived.
        """
        if fate.before_answer:
            self._at_once(message, fate)
        elif wait > message.validity_seconds:
            expired = Fate(status="failed", code=30036, signature=fate.signature)
            self._timers.after(message.validity_seconds, lambda: self._end(message, expired))
        else:
            if message.status == "accepted":
                self._timers.after(0, lambda: self._report(message, "queued", fate))
            delay = wait + self._options.sent_seconds
            self._timers.after(delay, lambda: self._leave(message, fate))

    def _leave(self, message: Message, fate: Fate) -> None:
        if fate.status in {"failed", "canceled"}:
            self._end(message, fate)
            return
        if fate.reordered and fate.status != "sent":
            sent = self._change(message, "sent", None)
            first = self._end(message, fate)
            self._callbacks.once_settled(first, lambda: self._send(message, sent, fate))
            return
        self._report(message, "sent", fate)
        if fate.status != "sent":
            self._timers.after(self._options.carrier_seconds, lambda: self._end(message, fate))

    def _at_once(self, message: Message, fate: Fate) -> None:
        self._callbacks.wait_for(self._report(message, "sent", fate))
        self._callbacks.wait_for(self._end(message, fate))

    def _end(self, message: Message, fate: Fate) -> list[Callback]:
        fields = self._change(message, fate.status, fate.code)
        if fate.status in {"delivered", "undelivered"}:
            fields["RawDlrDoneDate"] = f"{datetime.now(UTC):%y%m%d%H%M}"
        sent = self._send(message, fields, fate)
        if fate.bare_copy:
            bare = {name: value for name, value in fields.items() if name != "ErrorCode"}
            self._callbacks.once_settled(sent, lambda: self._send(message, bare, fate))
        return sent

    def _report(self, message: Message, status: str, fate: Fate) -> list[Callback]:
        return self._send(message, self._change(message, status, None), fate)

    def _change(self, message: Message, status: str, code: int | None) -> dict[str, str]:
        """Set the status and return the fields of the callback that tells it."""
        with self._messages.lock:
            message.status, message.updated_at = status, datetime.now(UTC)
            if status == "sent":
                message.sent_at = message.updated_at
            if code is not None:
                message.error_code, message.error_message = code, ASYNCHRONOUS[code]
        fields = {
            "AccountSid": message.account_sid,
            "ApiVersion": API_VERSION,
            "From": message.from_ or "",
            "MessageSid": message.sid,
            "MessageStatus": status,
            "SmsSid": message.sid,
            "SmsStatus": status,
            "To": message.to,
        }
        if message.service_sid:
            fields["MessagingServiceSid"] = message.service_sid
        if code is not None:
            fields["ErrorCode"] = str(code)
        return fields

    def _send(self, message: Message, fields: dict[str, str], fate: Fate) -> list[Callback]:
        if fate.lost or not message.status_callback:
            return []
        if fate.unknown_field:
            fields = fields | {"ChannelMood": "hopeful"}
        callback = Callback(url=message.status_callback, fields=fields, signature=fate.signature)
        return self._callbacks.send_copies(callback, fate.copies, fate.delay)
