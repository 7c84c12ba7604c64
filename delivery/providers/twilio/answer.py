"""The outcome of a call by Twilio's HTTP answer. Nothing here raises, for any answer."""

from __future__ import annotations

import logging
from typing import Any

from delivery.content.visible_text import storable
from delivery.models import Outcome
from delivery.providers.base import Billed, SendOutcome
from delivery.providers.one_call import HttpAnswer, accepted_without_id, asked_pause
from delivery.providers.twilio.codes import CODES, meaning
from delivery.providers.values import MOST_PARTS, is_id

logger = logging.getLogger("delivery")


def outcome(answer: HttpAnswer) -> SendOutcome:
    content = answer.json_object()
    if 200 <= answer.status < 300:
        return _success(answer, content)
    return _failure(answer, content)


def billed(parts: Any) -> Billed:
    """Return the parts that Twilio states, as text; "0" stands for: not known yet."""
    text = str(parts) if isinstance(parts, str | int) else ""
    known = text.isascii() and text.isdecimal() and len(text) <= 3 and 0 < int(text) <= MOST_PARTS
    return Billed(parts=int(text)) if known else Billed()


def code_of(value: Any) -> int | None:
    """Return an error code, which answers write as a number and callbacks as text."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) <= 9 else None


def _success(answer: HttpAnswer, content: dict[str, Any]) -> SendOutcome:
    sid = content.get("sid")
    if is_id(sid):
        return SendOutcome(
            kind=Outcome.ACCEPTED,
            provider_id=str(sid),
            billed=billed(content.get("num_segments")),
            http_status=answer.status,
        )
    return accepted_without_id(answer, "Twilio", detail=_request_id(answer))


def _failure(answer: HttpAnswer, content: dict[str, Any]) -> SendOutcome:
    code = code_of(content.get("code"))
    known = meaning(answer.status, code)
    if code is not None and code not in CODES:
        logger.warning(
            "Twilio answered with a code that is not in the table",
            extra={"action": "unknown_code", "code": code, "http_status": answer.status},
        )
    pause = known.pause
    if known.outcome == Outcome.THROTTLED and not known.hold:
        pause = asked_pause(answer.headers.get("retry-after", "")) or pause
    return SendOutcome(
        kind=known.outcome,
        http_status=answer.status,
        code=str(code) if code is not None else f"http_{answer.status}",
        # Twilio's own message quotes phone numbers.
        title=str(known.sentence) if code in CODES else "",
        detail=_request_id(answer),
        retry_after=pause,
        whole_account=known.whole_account,
        hold=known.hold,
        opted_out=known.opted_out,
        from_provider=code is not None,
    )


def _request_id(answer: HttpAnswer) -> str:
    """Return the id by which Twilio's support finds the call."""
    return storable(answer.headers.get("Twilio-Request-Id", ""))[:64]
