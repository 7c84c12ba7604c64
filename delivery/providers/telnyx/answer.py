"""The outcome of a call by its HTTP answer. Nothing here raises, for any answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from delivery.content.visible_text import storable
from delivery.models import Outcome
from delivery.providers.base import LONGEST_ID, SendOutcome
from delivery.providers.one_call import HttpAnswer, asked_pause
from delivery.providers.telnyx.codes import CODES, meaning
from delivery.providers.telnyx.payload import billed

logger = logging.getLogger("delivery")


@dataclass(frozen=True, slots=True)
class _Error:
    code: str = ""
    title: str = ""
    detail: str = ""


def outcome(answer: HttpAnswer) -> SendOutcome:
    document = _document(answer.body)
    if 200 <= answer.status < 300:
        return _success(answer, document)
    return _failure(answer, document)


def _success(answer: HttpAnswer, document: Any) -> SendOutcome:
    data = document.get("data") if isinstance(document, dict) else None
    provider_id = data.get("id") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(provider_id, str) and _is_id(provider_id):
        return SendOutcome(
            kind=Outcome.ACCEPTED,
            provider_id=provider_id,
            billed=billed(data),
            http_status=answer.status,
        )
    return SendOutcome(
        kind=Outcome.AMBIGUOUS,
        http_status=answer.status,
        code="unreadable_answer",
        title="Telnyx answered that it took the text, but gave no id",
    )


def _is_id(value: str) -> bool:
    return 0 < len(value) <= LONGEST_ID and storable(value) == value


def _failure(answer: HttpAnswer, document: Any) -> SendOutcome:
    error = _first_error(document)
    from_telnyx = bool(error.code)
    known = meaning(answer.status, error.code, from_telnyx=from_telnyx)
    if error.code and error.code not in CODES:
        logger.error(
            "Telnyx answered with a code that is not in the table",
            extra={"action": "unknown_code", "code": error.code, "http_status": answer.status},
        )
    pause = known.pause if known.kind == Outcome.CONFIGURATION else None
    if known.kind == Outcome.THROTTLED:
        pause = (
            _seconds_to_midnight() if known.hold else _asked_pause(answer.headers) or known.pause
        )
    return SendOutcome(
        kind=known.kind,
        http_status=answer.status,
        code=error.code or f"http_{answer.status}",
        title=error.title,
        detail=error.detail,
        retry_after=pause,
        whole_account=known.whole_account,
        hold=known.hold,
        opted_out=known.opted_out,
        final=known.final,
        from_provider=from_telnyx,
    )


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _first_error(document: Any) -> _Error:
    errors = document.get("errors") if isinstance(document, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return _Error()
    # The detail is left out: it quotes phone numbers.
    return _Error(code=_text(first.get("code"), 40), title=_text(first.get("title"), 200))


def _text(value: Any, most: int) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return storable(str(value))[:most]


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    """Return ``Retry-After`` (RFC 9110, section 10.2.3), else ``x-ratelimit-reset``: seconds or, by
    another page of Telnyx, a Unix time."""
    for name in ("retry-after", "x-ratelimit-reset"):
        seconds = asked_pause(headers.get(name, ""))
        if seconds is not None:
            return seconds
    return None


def _seconds_to_midnight() -> float:
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - now).total_seconds()
