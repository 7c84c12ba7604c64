"""Look-ups of one text: by its id, or by its content among the texts between two numbers.

Twilio keeps texts for 400 days (or as set). It cannot search by our reference, so a text without an id
must match in body and time, and only one text may match. Otherwise the look-up finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from delivery.providers.base import (
    DeliveryReport,
    LookUpByContent,
    LookUpById,
    LookUpFailedError,
    Question,
)
from delivery.providers.one_call import Caller
from delivery.providers.twilio.client import Access
from delivery.providers.twilio.reports import moment, report_of_resource

_PAGE_SIZE = 100
_MOST_PAGES = 5


class LookUp:
    def __init__(self, caller: Caller, access: Access) -> None:
        self._caller, self._access = caller, access

    def answer(self, question: Question, now: datetime) -> DeliveryReport | None:
        """Return the report on the text; None where Twilio does not know it for certain."""
        if isinstance(question, LookUpById):
            return self._by_id(question, now)
        return self._by_content(question, now)

    def _by_id(self, question: LookUpById, now: datetime) -> DeliveryReport | None:
        sid = quote(question.provider_id, safe="")
        found = self._get(f"{self._access.messages_path}/{sid}.json", {})
        report = None if found is None else report_of_resource(found, now)
        return report if report and report.provider_id == question.provider_id else None

    def _by_content(self, question: LookUpByContent, now: datetime) -> DeliveryReport | None:
        if question.one_of_many or not question.text:
            return None
        candidates = {
            str(one.get("sid")): one for one in self._between(question) if _matches(question, one)
        }
        for taken in question.others:
            candidates.pop(taken, None)
        if len(candidates) != 1:
            return None
        return report_of_resource(next(iter(candidates.values())), now)

    def _between(self, question: LookUpByContent) -> Iterator[dict[str, Any]]:
        """Yield the texts between the two numbers, newest first, until one is too old.

        Do not filter by day: Twilio filters by the day of sending, and an unsent text has none.
        """
        path = f"{self._access.messages_path}.json"
        parameters = {
            "To": question.to_number,
            "From": question.from_number,
            "PageSize": str(_PAGE_SIZE),
        }
        for _ in range(_MOST_PAGES):
            page = self._get(path, parameters) or {}
            found = page.get("messages")
            for one in found if isinstance(found, list) else []:
                if not isinstance(one, dict):
                    continue
                created = moment(one.get("date_created"))
                if created is not None and created < question.since.replace(microsecond=0):
                    return
                yield one
            following = page.get("next_page_uri")
            if not following:
                return
            if not isinstance(following, str) or not following.startswith(
                self._access.messages_path
            ):
                raise LookUpFailedError("bad_page")
            path, parameters = following, {}
        raise LookUpFailedError("too_many_pages")

    def _get(self, path: str, parameters: dict[str, str]) -> dict[str, Any] | None:
        """Return the JSON object at ``path``; None for 404. Raises :class:`LookUpFailedError`."""
        answer = self._caller.look_up(self._access.request("GET", path, parameters))
        if answer is None:
            return None
        found = answer.json_object()
        if not found:
            raise LookUpFailedError("not_json")
        return found


def _matches(question: LookUpByContent, resource: dict[str, Any]) -> bool:
    created = moment(resource.get("date_created"))
    return (
        created is not None
        and question.since.replace(microsecond=0) <= created <= question.until
        and str(resource.get("direction", "")).startswith("outbound")
        and (resource.get("to"), resource.get("from")) == (question.to_number, question.from_number)
        and resource.get("body") == question.text
    )
