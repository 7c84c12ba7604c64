"""Streams have a key in the database and a name on the wire; only a user's own differ."""

from __future__ import annotations

import re

OWN = "user:me"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}:[A-Za-z0-9_-]{1,60}", re.ASCII)


def is_name(name: object) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def key_of(name: str, user_id: int) -> str | None:
    """The key behind a name; None for another user's own stream, which has no name."""
    if name == OWN:
        return f"user:{user_id}"
    return None if name.startswith("user:") else name


def name_of(key: str) -> str:
    return OWN if key.startswith("user:") else key
