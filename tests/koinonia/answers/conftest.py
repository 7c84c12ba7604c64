from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.models import Direction, Message
from delivery.tracking import apply_waiting_events
from koinonia.models import Church, Group, Keyword
from tests.delivery.tracking.conftest import store
from tests.delivery.webhooks.signing import event, inbound

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
"""A Monday, 10:00 in Chicago."""
PERSON = "+13125550001"

Hear = Callable[..., None]


@pytest.fixture
def hear() -> Hear:
    """Return a function that lets a person text the church: ``hear("CHOIR", at=hours)``."""
    number = iter(range(1000))

    def receive(text: str, *, at: datetime = NOW, applied: bool = True, **over: Any) -> None:
        body = inbound(f"in{next(number)}", text, **over)
        store(event("message.received", body, occurred_at=at.isoformat()), now=at)
        if applied:
            apply_waiting_events(at + timedelta(seconds=1))

    return receive


@pytest.fixture
def choir(grace: Church) -> Group:
    return Group.objects.create(church=grace, name="Choir")


@pytest.fixture
def keyword(choir: Group) -> Keyword:
    return Keyword.objects.create(
        church=choir.church, word="CHOIR", group=choir, answer="Welcome to the choir, {first_name}!"
    )


def answers() -> list[str]:
    """Return the texts of the church, oldest first."""
    sent = Message.objects.filter(direction=Direction.OUTBOUND).order_by("pk")
    return list(sent.values_list("text", flat=True))
