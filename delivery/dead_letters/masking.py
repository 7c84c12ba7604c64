from __future__ import annotations


def masked(number: str) -> str:
    """``+13125550142`` as ``+131•••••142``: enough to tell two apart, too little to call."""
    if len(number) < 8:
        return "•" * len(number)
    return number[:4] + "•" * (len(number) - 7) + number[-3:]
