from __future__ import annotations

from tests.delivery.tracking.conftest import message

__all__ = ["message"]
