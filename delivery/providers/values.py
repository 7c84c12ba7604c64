"""Values from a provider's answers and webhooks, which may have any type and any form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from delivery.content.visible_text import storable
from delivery.providers.base import LONGEST_ID
from delivery.references import message_id

MOST_PARTS = 255
"""GSM 03.40 numbers the parts of one message in a byte."""
MOST_MEDIA = 10

_LONGEST_URL = 2000
_LONGEST_NUMBER = 16


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and storable(value) == value


def is_number(value: str) -> bool:
    return 0 < len(value) <= _LONGEST_NUMBER


def keyword_of(value: Any) -> str:
    """Return ``STOP`` or ``START``; empty for any other value."""
    word = text_of(value).upper()
    return word if word in {"STOP", "START"} else ""


def our_reference(ref: str) -> str:
    """Return the last part of a webhook's URL if it names a message of ours; else nothing."""
    return ref if message_id(ref) is not None else ""


def links(values: Iterable[Any]) -> tuple[str, ...]:
    """Return the first ten http or https links: a page shows them as links."""
    return tuple(filter(_is_link, map(text_of, values)))[:MOST_MEDIA]


def fingerprint(content: Any) -> str:
    """Return an id for an event without one: equal content is the same event."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _is_link(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    plain = value.isprintable() and " " not in value and len(value) <= _LONGEST_URL
    return plain and parts.scheme in {"http", "https"} and bool(parts.hostname)
