"""Look-ups of one text at Telnyx, by id (kept for ten days) or by content.

Telnyx finds no text by its Idempotency-Key. But it shows the webhook URL of each text, and each text
has a URL that only this text uses. Without a URL, a text must match in all fields that Telnyx shows,
and it must be the only match. An ambiguous look-up finds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from delivery.providers.base import (
    DeliveryReport,
    LookUpByContent,
    LookUpById,
    LookUpFailedError,
    Question,
    UnreadableError,
)
from delivery.providers.one_call import Caller
from delivery.providers.telnyx.events import document
from delivery.providers.telnyx.payload import delivery_report, moment
from delivery.providers.values import text_of

_LARGEST_PAGE = 50


class LookUp:
    def __init__(self, caller: Caller, base: str, api_key: str) -> None:
        self._caller, self._base = caller, base
        self._headers = {"Authorization": f"Bearer {api_key}"}

    def answer(self, question: Question, now: datetime) -> DeliveryReport | None:
        """Return the report on the text; None where Telnyx does not know it for certain."""
        if isinstance(question, LookUpById):
            return self._by_id(question, now)
        return self._by_content(question, now)

    def _by_id(self, question: LookUpById, now: datetime) -> DeliveryReport | None:
        report = delivery_report(self._message(question.provider_id), at=now)
        return report if report and report.provider_id == question.provider_id else None

    def _by_content(self, question: LookUpByContent, now: datetime) -> DeliveryReport | None:
        candidates = _candidates(question, self._records(question), now)
        if len(candidates) != 1:
            return None
        payload = self._message(candidates[0])
        report = delivery_report(payload, at=now)
        return report if report and _confirms(question, payload, report, candidates[0]) else None

    def _message(self, provider_id: str) -> Any:
        answer = self._get(f"messages/{quote(provider_id, safe='')}", {})
        return None if answer is None else answer.get("data")

    def _records(self, question: LookUpByContent) -> list[dict[str, Any]]:
        """Return the detail records of texts between the two numbers since then.

        ``GET /v2/detail_records`` lists no text before it has left Telnyx's queue. Returns nothing
        where there are more records than fit on one page.
        """
        asked = {
            "filter[record_type]": "messaging",
            "filter[direction]": "outbound",
            "filter[cld]": question.to_number,
            "filter[cli]": question.from_number,
            "filter[created_at][gte]": question.since.astimezone(UTC).isoformat(timespec="seconds"),
            "page[size]": str(_LARGEST_PAGE),
        }
        answer = self._get("detail_records", asked) or {}
        found, meta = answer.get("data"), answer.get("meta")
        pages = meta.get("total_pages") if isinstance(meta, dict) else None
        if not isinstance(found, list) or pages != 1:
            return []
        return [record for record in found if isinstance(record, dict)]

    def _get(self, path: str, parameters: dict[str, str]) -> dict[str, Any] | None:
        url = f"{self._base}/{path}"
        request = requests.Request("GET", url, params=parameters, headers=self._headers)
        answer = self._caller.look_up(request)
        if answer is None:
            return None
        try:
            return document(answer.body)
        except UnreadableError as error:
            raise LookUpFailedError("not_json") from error


def _candidates(
    question: LookUpByContent, records: Sequence[dict[str, Any]], now: datetime
) -> list[str]:
    wanted = (question.to_number, question.from_number, "outbound")
    between_us = [
        record
        for record in records
        if (record.get("cld"), record.get("cli"), record.get("direction", "outbound")) == wanted
    ]
    url = question.callback_url
    mine = [record for record in between_us if url and _url(record) == url]
    if not mine and not question.one_of_many:
        mine = [record for record in between_us if _matches(question, record, now)]
    return sorted({text_of(record.get("uuid")) for record in mine} - question.others - {""})


def _matches(question: LookUpByContent, record: dict[str, Any], now: datetime) -> bool:
    at = moment(record.get("created_at"), now)
    in_time = at is not None and question.since <= at <= question.until
    return in_time and record.get("parts") == question.parts and not _url(record)


def _confirms(
    question: LookUpByContent, payload: dict[str, Any], report: DeliveryReport, provider_id: str
) -> bool:
    """Compare the whole message, which shows more than its record."""
    return (
        report.provider_id == provider_id
        and (report.to_number, report.from_number) == (question.to_number, question.from_number)
        and text_of(payload.get("webhook_url")) == question.callback_url
        # With a URL the text need not match: Telnyx may encode a character differently.
        and (bool(question.callback_url) or text_of(payload.get("text")) == question.text)
    )


def _url(record: dict[str, Any]) -> str:
    return text_of(record.get("delivery_status_webhook_url"))
