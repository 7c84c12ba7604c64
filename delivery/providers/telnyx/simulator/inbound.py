"""A text from a phone to a number of the account, with Telnyx's keyword handling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from delivery.providers.telnyx.simulator.messages import Message, new_id, profile_of
from delivery.providers.telnyx.simulator.opt_outs import REPLIES, keyword

if TYPE_CHECKING:
    from delivery.providers.telnyx.simulator.account import Account


def receive(
    account: Account, *, from_: str, to: str, text: str | None, media_urls: tuple[str, ...] = ()
) -> Message:
    """Block or unblock the sender, send the automatic reply, and post the event to the profile's
    URL."""
    message = Message(
        from_=from_, to=to, text=text, media_urls=media_urls, direction="inbound",
        type="MMS" if media_urls else "SMS", profile_id=profile_of(to), status="received",
    )  # fmt: skip
    message.autoresponse = keyword(text or "")
    account.messages.add(message)
    if message.autoresponse:
        _obey(account, message, message.autoresponse)
    account.carrier.deliver_inbound(message)
    return message


def _obey(account: Account, message: Message, word: str) -> None:
    scope = account.scope_of(message.profile_id)
    if word == "STOP":
        said = (message.text or "").strip().upper()
        account.opt_outs.block(scope, message.to, message.from_, said, message.profile_id)
    elif word == "START":
        account.opt_outs.unblock(scope, message.from_)
    account.add_auto_reply(new_id(), from_=message.to, to=message.from_, text=REPLIES[word])
