"""Words and media of an inbound message, in each of the forms that Telnyx has for them.

SMS and MMS: ``text`` and ``media[].url``. RCS ("Receiving RCS webhooks"): ``body`` with one of
``text``, ``user_file``, ``location``, ``suggestion_response``. WhatsApp: ``body.text.body``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_MOST_MEDIA = 10
_LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class Content:
    text: str
    postback: str
    """What a tapped suggestion says to programs; the text is what it says to people."""
    media_urls: tuple[str, ...]


def content(payload: dict[str, Any]) -> Content:
    """Return what the person sent; what is missing or odd is empty."""
    body = _object(payload.get("body"))
    tapped = _object(body.get("suggestion_response"))
    postback = _text(tapped.get("postback_data"))
    words = (
        _text(payload.get("text"))
        or _text(body.get("text"))
        or _text(_object(body.get("text")).get("body"))
        or _text(tapped.get("text"))
        or postback
        or _location(_object(body.get("location")))
    )
    media = payload.get("media")
    found = [_object(item).get("url") for item in media] if isinstance(media, list) else []
    found.append(_object(_object(body.get("user_file")).get("payload")).get("file_uri"))
    return Content(words, postback, _links(found))


def _links(values: Iterable[Any]) -> tuple[str, ...]:
    """Return the first ten that are http or https links: a page shows them as such."""
    links = [value for value in values if isinstance(value, str) and _is_link(value)]
    return tuple(links[:_MOST_MEDIA])


def _is_link(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    plain = value.isprintable() and " " not in value and len(value) <= _LONGEST_URL
    return plain and parts.scheme in {"http", "https"} and bool(parts.hostname)


def _location(place: dict[str, Any]) -> str:
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if not _is_degrees(latitude, 90) or not _is_degrees(longitude, 180):
        return ""
    return f"Location: {latitude:.5f}, {longitude:.5f}"


def _is_degrees(value: Any, most: int) -> bool:
    return type(value) in {int, float} and -most <= value <= most


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
