"""Which API token a request came with, named so that the name opens nothing."""

from __future__ import annotations

from typing import Any

from throttling import conf


def token_of(request: Any) -> str | None:
    """What THROTTLING["TOKEN_OF"] says; else the prefix by which knox lists its tokens."""
    ask = conf.token_of()
    if ask is not None:
        return ask(request)
    key = getattr(getattr(request, "auth", None), "token_key", None)
    return key if isinstance(key, str) else None
