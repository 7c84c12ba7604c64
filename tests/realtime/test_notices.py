from __future__ import annotations

import threading
from typing import Any

import pytest

from realtime import notices
from realtime.notices import Publisher


class Layer:
    """A channel layer that keeps the notices it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.has_sent = threading.Event()
        self.is_last = threading.Event()

    async def group_send(self, group: str, notice: dict[str, Any]) -> None:
        self.sent.append((group, notice["seq"]))
        self.has_sent.set()
        if notice["seq"] == 50:
            self.is_last.set()


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Layer:
    layer = Layer()
    monkeypatch.setattr(notices, "shared_layer", lambda: layer)
    return layer


def test_a_burst_of_commits_shares_a_notice_that_names_the_last(
    layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "_PAUSE_SECONDS", 0.5)
    publisher = Publisher()
    publisher.put("church.grace", {"seq": 1})
    assert layer.has_sent.wait(10)
    for seq in range(2, 51):
        publisher.put("church.grace", {"seq": seq})
    assert layer.is_last.wait(10)
    assert layer.sent == [("church.grace", 1), ("church.grace", 50)]


def test_a_notice_after_silence_is_sent_at_once(
    layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "_PAUSE_SECONDS", 60)
    Publisher().put("church.grace", {"seq": 50})
    assert layer.is_last.wait(10)


def test_groups_do_not_share_a_notice(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "_PAUSE_SECONDS", 0.5)
    publisher = Publisher()
    publisher.put("church.grace", {"seq": 1})
    assert layer.has_sent.wait(10)
    publisher.put("church.hope", {"seq": 2})
    publisher.put("church.grace", {"seq": 50})
    assert layer.is_last.wait(10)
    assert set(layer.sent) == {("church.grace", 1), ("church.hope", 2), ("church.grace", 50)}
