from __future__ import annotations

from throttling.models.allowance import Allowance
from throttling.models.login_address import LoginAddress
from throttling.models.throttle_state import ThrottleState

__all__ = ["Allowance", "LoginAddress", "ThrottleState"]
