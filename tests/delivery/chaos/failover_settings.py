"""The chaos settings, with a failover to the second number after a short outage."""

from __future__ import annotations

from tests.delivery.chaos.settings import *  # noqa: F403
from tests.delivery.chaos.settings import DELIVERY

DELIVERY["FAILOVER_AFTER"] = 5
