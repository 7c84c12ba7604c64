"""The outcome of a call by its HTTP answer. Nothing here raises, for any answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from delivery.content.visible_text import storable
from delivery.models import Outcome
from delivery.providers.base import SendOutcome
from delivery.providers.one_call import HttpAnswer, accepted_without_id, asked_pause
from delivery.providers.telnyx.codes import CODES, meaning
from delivery.providers.telnyx.payload import billed
from delivery.providers.values import is_id

logger = logging.getLogger("delivery")


@dataclass(frozen=True, slots=True)
class _Error:
    code: str = ""
    title: str = ""
    detail: str = ""


def outcome(answer: HttpAnswer) -> SendOutcome:
    document = answer.json_object()
    if 200 <= answer.status < 300:
        return _success(answer, document)
    return _failure(answer, document)


def _success(answer: HttpAnswer, document: dict[str, Any]) -> SendOutcome:
    data = document.get("data")
    if isinstance(data, dict) and is_id(data.get("id")):
        return SendOutcome(
            kind=Outcome.ACCEPTED,
            provider_id=data["id"],
            billed=billed(data),
            http_status=answer.status,
        )
    return accepted_without_id(answer, "Telnyx")


def _failure(answer: HttpAnswer, document: dict[str, Any]) -> SendOutcome:
    error = _first_error(document)
    from_telnyx = bool(error.code)
    known = meaning(answer.status, error.code, from_telnyx=from_telnyx)
    if error.code and error.code not in CODES:
        logger.warning(
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


def _first_error(document: dict[str, Any]) -> _Error:
    errors = document.get("errors")
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
