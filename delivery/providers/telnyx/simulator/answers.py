"""Errors in Telnyx's shape."""

from __future__ import annotations

from typing import Any

from delivery.providers.simulator import api
from delivery.providers.simulator.server import Answer, json_answer
from delivery.providers.telnyx.simulator.codes import CODES


class RefusedError(api.RefusedError):
    """The request is refused with a Telnyx code; ``answer`` is sent to the client."""

    def __init__(self, code: str, detail: str = "", *, pointer: str = "", status: int = 0) -> None:
        super().__init__(f"{code} {detail}")
        self.code, self.detail, self.pointer = code, detail, pointer
        self.status = status or CODES[code].status

    @property
    def answer(self) -> Answer:
        error = error_object(self.code, self.detail, self.pointer)
        return json_answer({"errors": [error]}, self.status)


def error_object(code: str, detail: str = "", pointer: str = "") -> dict[str, Any]:
    """Return a member of ``errors[]``; the code is a string, as in Telnyx's answers."""
    title = CODES[code].title
    error: dict[str, Any] = {"code": code, "title": title, "detail": detail or f"{title}."}
    if pointer:
        error["source"] = {"pointer": pointer}
    error["meta"] = {"url": f"https://developers.telnyx.com/docs/overview/errors/{code}"}
    return error
