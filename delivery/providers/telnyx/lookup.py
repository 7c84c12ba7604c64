"""What Telnyx knows of texts: one by its id (kept for ten days), or all between two numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import requests

from delivery import conf
from delivery.providers.telnyx.document import UnreadableError, read

_LARGEST_PAGE = 50


class LookupFailedError(Exception):
    """Telnyx cannot be asked now. ``code`` says why; asking about others would fare the same."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Lookup:
    """Asks over one kept-alive connection."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def message(self, provider_id: str) -> Any:
        """The message as Telnyx shows it; None where it knows none of that id (any more)."""
        answer = self._get(f"messages/{quote(provider_id, safe='')}", {})
        return None if answer is None else answer.get("data")

    def records(self, *, to_number: str, from_number: str, since: datetime) -> list[Any]:
        """The detail records of texts sent from one number to another since then.

        ``GET /v2/detail_records``: what waits in Telnyx's queue is not among them until it is sent.
        Empty, too, where there are more than fit on one page: nobody could tell them apart.
        """
        asked = {
            "filter[record_type]": "messaging",
            "filter[direction]": "outbound",
            "filter[cld]": to_number,
            "filter[cli]": from_number,
            "filter[created_at][gte]": since.astimezone(UTC).isoformat(timespec="seconds"),
            "page[size]": str(_LARGEST_PAGE),
        }
        answer = self._get("detail_records", asked) or {}
        found, meta = answer.get("data"), answer.get("meta")
        pages = meta.get("total_pages") if isinstance(meta, dict) else None
        return found if isinstance(found, list) and pages == 1 else []

    def _get(self, path: str, parameters: dict[str, str]) -> dict[str, Any] | None:
        try:
            answer = self._session.get(
                f"{conf.api_base()}/{path}",
                params=parameters,
                headers={"Authorization": f"Bearer {conf.api_key()}"},
                timeout=(conf.connect_timeout(), conf.read_timeout()),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise LookupFailedError(type(error).__name__) from error
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise LookupFailedError(f"http_{answer.status_code}")
        try:
            return read(answer.content)
        except UnreadableError as error:
            raise LookupFailedError("not_json") from error
