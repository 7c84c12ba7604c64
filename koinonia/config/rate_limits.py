"""The rate-limit policies of the project, and the names that ``THROTTLE_<POLICY>`` may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throttling import policies

PROJECT_POLICIES: Mapping[str, Mapping[str, Any]] = {
    "messages": {"rate": "100/m", "by": "user", "on_failure": "local", "accepted_only": True},
    "broadcasts": {
        "rate": "10/h",
        "by": "url:church",
        "on_failure": "local",
        "accepted_only": True,
    },
    "connect": {"rate": "60/m", "by": "user"},
    # An invitation sends a mail to an address that an owner chooses.
    "invitations": {"rate": "60/h", "by": "url:church", "on_failure": "local"},
}

NAMES = (*policies.DEFAULTS, *PROJECT_POLICIES)


def with_rates(rates: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return ``THROTTLING["POLICIES"]``: the project's policies, with the environment's rates."""
    declared = {name: dict(policy) for name, policy in PROJECT_POLICIES.items()}
    for name, rate in rates.items():
        declared.setdefault(name, {})["rate"] = rate
    return declared
