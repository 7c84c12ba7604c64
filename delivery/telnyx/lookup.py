"""``GET /v2/messages/{id}``: what Telnyx knows of a text (kept for ten days)."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import requests

from delivery import conf


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
        try:
            answer = self._session.get(
                f"{conf.api_base()}/messages/{quote(provider_id, safe='')}",
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
        return _data(answer)


def _data(answer: requests.Response) -> Any:
    try:
        document = answer.json()
    except ValueError as error:
        raise LookupFailedError("not_json") from error
    return document.get("data") if isinstance(document, dict) else None
