"""Our name of a message in the URL that a provider calls.

Some providers sign a webhook's body and not its URL: a reference is a hint at our message, no proof.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from delivery.models import Message

_LARGEST_ID = 2**63 - 1


def reference(message_id: int) -> str:
    return f"m{message_id}"


def message_id(ref: str) -> int | None:
    """Return the id in ``ref``; None where it is not one of ours."""
    digits = ref.removeprefix("m")
    if digits == ref or not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return None
    number = int(digits)
    return number if 0 < number <= _LARGEST_ID else None


def callback_url(message: Message) -> str:
    """Return the URL for webhooks about this message alone; empty without a public origin.

    It depends on the row alone: a repeated request must have the same bytes.
    """
    if not message.callback_origin:
        return ""
    return f"{message.callback_origin}/webhooks/{message.provider}/{reference(message.pk)}/"
