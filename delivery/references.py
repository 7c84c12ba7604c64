"""Our name of a message in the URL that Telnyx calls.

Telnyx signs a webhook's body, not its URL: a reference is a hint at our message, never proof.
"""

from __future__ import annotations

_LARGEST_ID = 2**63 - 1


def reference(message_id: int) -> str:
    return f"m{message_id}"


def message_id(ref: str) -> int | None:
    """The id in ``ref``; None where it is not one of ours."""
    digits = ref.removeprefix("m")
    if digits == ref or not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return None
    number = int(digits)
    return number if 0 < number <= _LARGEST_ID else None
