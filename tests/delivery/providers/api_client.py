"""The control API of a simulator, as a client of a provider's tests uses it."""

from __future__ import annotations

from typing import Any, Self

import requests

from delivery.providers.simulator.lifecycle import Simulator


class ControlClient:
    """``control`` changes the simulator and ``ask`` reads from it. A provider's class adds its API."""

    def __init__(self, simulator: Simulator) -> None:
        self._http = requests.Session()
        self._control = simulator.control

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        return _content(self._http.post(f"{self._control}/{path}", json=body, timeout=30))

    def ask(self, path: str) -> dict[str, Any]:
        return _content(self._http.get(f"{self._control}/{path}", timeout=30))


def _content(answer: requests.Response) -> dict[str, Any]:
    assert answer.ok, answer.text
    content: dict[str, Any] = answer.json()
    return content
