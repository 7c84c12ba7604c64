"""Turn the body of a POST into a text, or refuse it with Telnyx's code."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from delivery.providers.telnyx.simulator.answers import RefusedError
from delivery.providers.telnyx.simulator.messages import Message, parse, profile_of
from delivery.providers.telnyx.simulator.options import Options

_TO = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}")
_FROM = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_LONGEST_URL = 2000
_MOST_MEDIA = 10
_MOST_PARTS = 10
_LONGEST_AHEAD = timedelta(days=5)
_RECOMMENDED_PARTS = 6


def content_of(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise RefusedError("10023", "The body is not JSON.") from error
    if not isinstance(content, dict):
        raise RefusedError("10015", "The body must be a JSON object.")
    return content


def message_of(content: dict[str, Any], options: Options) -> Message:
    """Check to, from, content, URLs and times, in this order."""
    media = _media(content)
    sender = _from(content)
    profile_id = _text(content, "messaging_profile_id") or profile_of(sender)
    message = Message(
        to=_to(content),
        from_=sender,
        text=_text(content, "text"),
        subject=_text(content, "subject"),
        media_urls=media,
        type=_type(content, media),
        profile_id=profile_id,
        webhook_url=_url(content, "webhook_url"),
        webhook_failover_url=_url(content, "webhook_failover_url"),
        use_profile_webhooks=content.get("use_profile_webhooks", True) is not False,
        send_at=_send_at(content, options),
    )
    _check_content(message, content)
    return message


def _to(content: dict[str, Any]) -> str:
    to = content.get("to")
    if to is None or to == "":
        raise RefusedError("10004", "'to' is required.", pointer="/to")
    if isinstance(to, list) and len(to) == 1:
        to = to[0]
    if not isinstance(to, str) or not _TO.fullmatch(to):
        raise RefusedError("40310", f"'{to}' is no +E.164 number or short code.", pointer="/to")
    return to


def _from(content: dict[str, Any]) -> str:
    sender = content.get("from")
    if sender is None and content.get("messaging_profile_id"):
        return "+13125550001"
    if not isinstance(sender, str) or not _FROM.fullmatch(sender):
        raise RefusedError("40305", f"'{sender}' is not on your profile.", pointer="/from")
    return sender


def _text(content: dict[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is not None and not isinstance(value, str):
        raise RefusedError("10025", f"'{name}' must be a string.", pointer=f"/{name}")
    return value


def _media(content: dict[str, Any]) -> tuple[str, ...]:
    media = content.get("media_urls") or []
    if not isinstance(media, list) or not all(isinstance(url, str) for url in media):
        raise RefusedError("10025", "'media_urls' must be a list of URLs.", pointer="/media_urls")
    if len(media) > _MOST_MEDIA:
        raise RefusedError("40317", "At most 10 media URLs.", pointer="/media_urls")
    return tuple(media)


def _type(content: dict[str, Any], media: tuple[str, ...]) -> str:
    kind = content.get("type") or ("MMS" if media else "SMS")
    if kind not in ("SMS", "MMS"):
        raise RefusedError("10032", "'type' must be SMS or MMS.", pointer="/type")
    if kind == "SMS" and media:
        raise RefusedError("40304", "An SMS has no media.", pointer="/media_urls")
    return str(kind)


def _url(content: dict[str, Any], name: str) -> str:
    url = _text(content, name) or ""
    if len(url) > _LONGEST_URL or (url and urlsplit(url).scheme not in ("http", "https")):
        raise RefusedError("10003", f"'{name}' must be an http(s) URL.", pointer=f"/{name}")
    return url


def _send_at(content: dict[str, Any], options: Options) -> datetime | None:
    text = _text(content, "send_at")
    if text is None:
        return None
    try:
        at = parse(text)
    except ValueError as error:
        raise RefusedError("10033", "'send_at' is no date-time.", pointer="/send_at") from error
    ahead = at - datetime.now(UTC)
    if not timedelta(seconds=options.schedule_ahead_seconds) <= ahead <= _LONGEST_AHEAD:
        raise RefusedError(
            "10026", "'send_at' must be 5 minutes to 5 days ahead.", pointer="/send_at"
        )
    return at


def _check_content(message: Message, content: dict[str, Any]) -> None:
    if not message.text and not message.media_urls:
        raise RefusedError("40316", "A text or media is required.", pointer="/text")
    encoding = content.get("encoding", "auto")
    if encoding not in ("auto", "gsm7", "ucs2"):
        raise RefusedError("10032", "'encoding' must be auto, gsm7 or ucs2.", pointer="/encoding")
    if encoding == "gsm7" and message.encoding != "GSM-7":
        raise RefusedError("10033", "The text does not fit GSM-7.", pointer="/encoding", status=400)
    if encoding == "ucs2":
        message.encode_as_ucs2()
    if message.parts > _MOST_PARTS:
        detail = f"The text has {message.parts} parts; {_MOST_PARTS} are allowed."
        raise RefusedError("40302", detail, pointer="/text")
    if content.get("auto_detect") is True and message.parts > _RECOMMENDED_PARTS:
        raise RefusedError("40328", f"The text has {message.parts} parts.", pointer="/text")
