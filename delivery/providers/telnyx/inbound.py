"""A text from a person, in each of the forms that Telnyx has for it.

SMS and MMS: ``text`` and ``media[].url``. RCS ("Receiving RCS webhooks"): ``body`` with one of
``text``, ``user_file``, ``location``, ``suggestion_response``. WhatsApp: ``body.text.body``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from delivery.providers.base import LONGEST_ID, InboundText
from delivery.providers.telnyx.payload import billed, first_object, number_of, text_of

_MOST_MEDIA = 10
_LONGEST_URL = 2000
_LONGEST_NUMBER = 16
_KEYWORDS = {"STOP", "START"}


def inbound_text(payload: Any, *, at: datetime) -> InboundText | None:
    """Return the text in ``payload`` of ``message.received``; None for an unknown form."""
    if not isinstance(payload, dict):
        return None
    to, from_number = payload.get("to"), number_of(payload.get("from"))
    to_number = text_of(to) or text_of(first_object(to).get("phone_number"))
    to_agent = not to_number and bool(text_of(first_object(to).get("agent_id")))
    provider_id = text_of(payload.get("id"))
    if not 0 < len(provider_id) <= LONGEST_ID or not _is_usable(from_number):
        return None
    if not _is_usable(to_number) and not to_agent:
        return None
    text, postback = _words(payload)
    keyword = text_of(payload.get("autoresponse_type")).upper()
    return InboundText(
        provider_id=provider_id,
        to_number=to_number,
        from_number=from_number,
        text=text,
        postback=postback,
        media_urls=_media_urls(payload),
        keyword=keyword if keyword in _KEYWORDS else "",
        billed=billed(payload),
        at=at,
    )


def _words(payload: dict[str, Any]) -> tuple[str, str]:
    """Return the visible text, and the value of a tapped suggestion."""
    body = _object(payload.get("body"))
    tapped = _object(body.get("suggestion_response"))
    postback = text_of(tapped.get("postback_data"))
    words = (
        text_of(payload.get("text"))
        or text_of(body.get("text"))
        or text_of(_object(body.get("text")).get("body"))
        or text_of(tapped.get("text"))
        or postback
        or _location(_object(body.get("location")))
    )
    return words, postback


def _media_urls(payload: dict[str, Any]) -> tuple[str, ...]:
    media = payload.get("media")
    found = [_object(item).get("url") for item in media] if isinstance(media, list) else []
    file = _object(_object(payload.get("body")).get("user_file"))
    found.append(_object(file.get("payload")).get("file_uri"))
    return _links(found)


def _links(values: Iterable[Any]) -> tuple[str, ...]:
    """Return the first ten http or https links: a page shows them as links."""
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


def _is_usable(number: str) -> bool:
    return 0 < len(number) <= _LONGEST_NUMBER


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
