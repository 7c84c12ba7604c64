"""The simulated Twilio account: texts, opt-outs, inbound texts, and the parts that work on them."""

from __future__ import annotations

import threading
from typing import Any

from delivery.providers.simulator import account
from delivery.providers.simulator.encoding import size_of
from delivery.providers.simulator.numbers import OwnNumbers
from delivery.providers.twilio.simulator.callbacks import Callback, Callbacks
from delivery.providers.twilio.simulator.carrier import Carrier
from delivery.providers.twilio.simulator.faults import GOOD_SENDER
from delivery.providers.twilio.simulator.messages import API_VERSION, Message, Messages, new_id
from delivery.providers.twilio.simulator.options import Credentials, Options

_WORDS = {
    **dict.fromkeys(
        ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "STOP"
    ),
    **dict.fromkeys(("START", "YES", "UNSTOP"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}
_REPLIES = {
    "STOP": "You have unsubscribed and will get no more messages. Reply START to resubscribe.",
    "START": "You have resubscribed. Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


class Account(account.Account):
    options: Options
    messages: Messages
    webhooks: Callbacks

    def __init__(
        self,
        credentials: Credentials,
        options: Options,
        ledger_capacity: int | None = None,
        numbers: OwnNumbers | None = None,
    ) -> None:
        super().__init__(options, ledger_capacity, numbers)
        self.credentials = credentials
        self.messages = Messages()
        self.webhooks = Callbacks(options, self.timers, credentials.auth_token)
        self.carrier = Carrier(options, self.timers, self.messages, self.webhooks)
        self._lock = threading.Lock()
        self._blocks: set[tuple[str, str]] = set()

    def reset(self) -> None:
        super().reset()
        with self._lock:
            self._blocks.clear()

    def is_blocked(self, sender: str, recipient: str) -> bool:
        """Return whether ``recipient`` sent STOP to ``sender``."""
        return (sender, recipient) in self._blocks

    def number_of_service(self) -> str:
        """Return the number that a Messaging Service picks from its pool."""
        return next(iter(self.numbers.all()), GOOD_SENDER)

    def opt_out_resources(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{"from": sender, "to": recipient} for sender, recipient in sorted(self._blocks)]

    def receive(
        self, *, from_: str, to: str, text: str | None, media_urls: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Block or unblock, reply, and tell the number's webhook URL, which gets a STOP too."""
        message = Message(
            account_sid=self.credentials.account_sid, from_=from_, to=to, body=text or "",
            media_urls=media_urls, direction="inbound", status="received",
        )  # fmt: skip
        self.messages.add(message)
        wish = _WORDS.get(message.body.strip().upper())
        if wish is not None:
            self._obey(wish, message)
        self.webhooks.send(
            Callback(url=self.options.webhook_url, fields=self._inbound_fields(message, wish))
        )
        return {"id": message.sid, "wish": wish}

    def _obey(self, wish: str, message: Message) -> None:
        pair = (message.to, message.from_ or "")
        self.add_auto_reply(new_id("SM"), from_=pair[0], to=pair[1], text=_REPLIES[wish])
        with self._lock:
            if wish == "STOP":
                self._blocks.add(pair)
            elif wish == "START":
                self._blocks.discard(pair)

    def _inbound_fields(self, message: Message, wish: str | None) -> dict[str, str]:
        fields = {
            "AccountSid": message.account_sid,
            "ApiVersion": API_VERSION,
            "Body": message.body,
            "From": message.from_ or "",
            "FromCity": "",
            "FromCountry": "US",
            "FromState": "ND",
            "FromZip": "",
            "MessageSid": message.sid,
            "NumMedia": str(len(message.media_urls)),
            "NumSegments": str(size_of(message.body).parts),
            "SmsMessageSid": message.sid,
            "SmsSid": message.sid,
            "SmsStatus": "received",
            "To": message.to,
            "ToCountry": "US",
        }
        for index, url in enumerate(message.media_urls):
            fields[f"MediaUrl{index}"] = url
            fields[f"MediaContentType{index}"] = "image/jpeg"
        if wish is not None and self.options.advanced_opt_out:
            fields["OptOutType"] = wish
        return fields
