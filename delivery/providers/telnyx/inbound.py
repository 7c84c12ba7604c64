"""A text from a person, in each of the forms that Telnyx has for it.

SMS and MMS: ``text`` and ``media[].url``. RCS ("Receiving RCS webhooks"): ``body`` with one of
``text``, ``user_file``, ``location``, ``suggestion_response``. WhatsApp: ``body.text.body``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from delivery.providers.base import InboundText
from delivery.providers.telnyx.payload import billed, first_object, number_of
from delivery.providers.values import is_id, is_number, keyword_of, links, text_of


def inbound_text(payload: Any, *, at: datetime) -> InboundText | None:
    """Return the text in ``payload`` of ``message.received``; None for an unknown form."""
    if not isinstance(payload, dict):
        return None
    to, from_number = payload.get("to"), number_of(payload.get("from"))
    to_number = text_of(to) or text_of(first_object(to).get("phone_number"))
    to_agent = not to_number and bool(text_of(first_object(to).get("agent_id")))
    provider_id = text_of(payload.get("id"))
    if not is_id(provider_id) or not is_number(from_number):
        return None
    if not is_number(to_number) and not to_agent:
        return None
    text, postback = _words(payload)
    return InboundText(
        provider_id=provider_id,
        to_number=to_number,
        from_number=from_number,
        text=text,
        postback=postback,
        media_urls=_media_urls(payload),
        keyword=keyword_of(payload.get("autoresponse_type")),
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
    return links(found)


def _location(place: dict[str, Any]) -> str:
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if not _is_degrees(latitude, 90) or not _is_degrees(longitude, 180):
        return ""
    return f"Location: {latitude:.5f}, {longitude:.5f}"


def _is_degrees(value: Any, most: int) -> bool:
    return type(value) in {int, float} and -most <= value <= most


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
