"""Text from outside that every database takes."""

from __future__ import annotations


def storable(text: str) -> str:
    """``text`` without NUL, which PostgreSQL refuses, and with "?" for what is no character at all (a
    lone surrogate, which JSON can spell)."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
