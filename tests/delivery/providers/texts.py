"""Texts to hand over, without a message behind them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from delivery.providers.base import OutboundText

BORN = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


def outbound(to: str = "+13125550001", key: str = "m:1:1:abc", **over: Any) -> OutboundText:
    values: dict[str, Any] = {
        "message_id": 1,
        "generation": 1,
        "idempotency_key": key,
        "reference": "m1",
        "from_number": "+13125550100",
        "to_number": to,
        "text": "Hello",
        "created_at": BORN,
        "expires_at": BORN + timedelta(days=1),
        **over,
    }
    return OutboundText(**values)
