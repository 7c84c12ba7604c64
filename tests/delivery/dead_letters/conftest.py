from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from delivery.models import Message
from koinonia.models import Church

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
MEMBER = "+13125550001"

MakeLetter = Callable[..., Message]


@pytest.fixture
def letter(grace: Church) -> MakeLetter:
    """Return a function that makes dead letters of Grace church: ``letter("unknown",
    error_code=…)``."""

    def make(status: str = "dead", **over: Any) -> Message:
        values: dict[str, Any] = {
            "tenant": grace, "to_number": MEMBER, "from_number": grace.phone_number,
            "text": "Choir practice is at seven.", "attempts": 4, "calls": 4, "claims": 1,
            "ambiguous": status == "unknown", "error_code": "http_503",
            "error_title": "Service unavailable", "error_class": "retryable",
            "created_at": NOW - timedelta(hours=2), "updated_at": NOW - timedelta(hours=1),
            "dead_since": NOW - timedelta(hours=1), "expires_at": NOW + timedelta(hours=22),
            "next_attempt_at": NOW - timedelta(hours=1), **over,
        }  # fmt: skip
        return Message.objects.create(status=status, **values)

    return make


@pytest.fixture
def support(db: None) -> User:
    return User.objects.create_user("support", is_staff=True)
