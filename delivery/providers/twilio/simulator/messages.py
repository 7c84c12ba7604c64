"""Message resources: their fields, their JSON shape, and their list with its filters and pages."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from delivery.providers.simulator import account
from delivery.providers.simulator.encoding import size_of

API_VERSION = "2010-04-01"
_PAGE_SIZE = 50
_LARGEST_PAGE = 1000
_PRICE_PER_PART = 0.0075


def new_id(prefix: str) -> str:
    """Return an id: two letters for the kind, then 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


@dataclass(slots=True, kw_only=True)
class Message:
    account_sid: str
    from_: str | None
    to: str
    body: str
    media_urls: tuple[str, ...] = ()
    direction: str = "outbound-api"
    status: str = "queued"
    service_sid: str | None = None
    status_callback: str = ""
    validity_seconds: int = 36_000
    sid: str = ""
    error_code: int | None = None
    error_message: str | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    sent_at: datetime | None = None
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.sid = self.sid or new_id("MM" if self.media_urls else "SM")

    @property
    def id(self) -> str:
        return self.sid

    @property
    def parts(self) -> int:
        return size_of(self.body).parts

    def resource(self) -> dict[str, Any]:
        """Return the JSON of the API: numbers as strings, times of RFC 2822, a negative price."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"
        priced = self.status in {"sent", "delivered", "undelivered"}
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": format_datetime(self.created_at),
            "date_sent": None if self.sent_at is None else format_datetime(self.sent_at),
            "date_updated": format_datetime(self.updated_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": self.error_message,
            "from": self.from_,
            "messaging_service_sid": self.service_sid,
            "num_media": str(len(self.media_urls)),
            "num_segments": "0" if self.status == "accepted" else str(self.parts),
            "price": f"{-_PRICE_PER_PART * self.parts:.5f}" if priced else None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "tags": None,
            "to": self.to,
            "uri": f"{uri}.json",
        }


class Messages(account.Messages[Message]):
    def page(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of the list, newest first. Filters: To, From, DateSent, DateSent<, DateSent>
        (days of GMT; an unsent text matches no day).

        Raises ValueError for a parameter that is no number or no day.
        """
        found = [one for one in reversed(self.all()) if _matches(one, asked)]
        size = min(max(int(asked.get("PageSize", _PAGE_SIZE)), 1), _LARGEST_PAGE)
        number = max(int(asked.get("Page", 0)), 0)
        start, end = number * size, (number + 1) * size
        kept = {name: value for name, value in asked.items() if name not in {"Page", "PageToken"}}

        def uri(page: int) -> str:
            token = f"PA{secrets.token_hex(16)}"
            paging = {"PageSize": str(size), "Page": str(page), "PageToken": token}
            return f"{path}?{urlencode(kept | paging)}"

        chosen = found[start:end]
        return {
            "first_page_uri": uri(0),
            "previous_page_uri": uri(number - 1) if number else None,
            "next_page_uri": uri(number + 1) if end < len(found) else None,
            "uri": uri(number),
            "page": number,
            "page_size": size,
            "start": start,
            "end": max(start + len(chosen) - 1, 0),
            "messages": [one.resource() for one in chosen],
        }


def _matches(message: Message, asked: Mapping[str, str]) -> bool:
    if "To" in asked and message.to != asked["To"]:
        return False
    if "From" in asked and message.from_ != asked["From"]:
        return False
    day = message.sent_at.date() if message.sent_at else None
    return all(
        day is not None and _holds(sign, day, date.fromisoformat(asked[f"DateSent{sign}"][:10]))
        for sign in ("", "<", ">")
        if f"DateSent{sign}" in asked
    )


def _holds(sign: str, day: date, wanted: date) -> bool:
    return day <= wanted if sign == "<" else day >= wanted if sign == ">" else day == wanted
