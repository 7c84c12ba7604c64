from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from koinonia.config.alert_rules import Alerts
from koinonia.webhooks.signing import new_secret

SECRET = new_secret()
RULES = Alerts(
    email=("grace@example.org",), webhook_url="", webhook_secrets=(), every_seconds=15,
    calm_seconds=120, repeat_hours=4, breaker_seconds=60, hold_seconds=0, oldest_due_seconds=900,
    webhook_silence_seconds=1800, dead_letters=3, outgoing_seconds=300,
    spend_cap=True,
)  # fmt: skip


@pytest.fixture
def rules(settings: Any) -> Any:
    """Return a function that changes the rules in force and returns them."""

    def use(**changed: Any) -> Alerts:
        settings.ALERTS = replace(RULES, **changed)
        found: Alerts = settings.ALERTS
        return found

    return use
