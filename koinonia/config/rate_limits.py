"""The rate-limit policies of this project, beside the policies of ``throttling``.

The environment and the settings both read these names, so that a policy is declared once:
``THROTTLE_<POLICY>`` exists for every policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throttling.policies import DEFAULTS

PROJECT_POLICIES: Mapping[str, Mapping[str, Any]] = {
    "messages": {"rate": "100/m", "by": "user", "on_failure": "local", "accepted_only": True},
    "broadcasts": {
        "rate": "10/h",
        "by": "url:church",
        "on_failure": "local",
        "accepted_only": True,
    },
    "connect": {"rate": "60/m", "by": "user"},
    # Each invitation sends an email to an address that the owner chooses.
    "invitations": {"rate": "60/h", "by": "url:church", "on_failure": "local"},
}
NAMES = (*DEFAULTS, *PROJECT_POLICIES)


def policies(rates: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return ``THROTTLING["POLICIES"]``: the policies of this project, at the given rates."""
    declared = {name: dict(policy) for name, policy in PROJECT_POLICIES.items()}
    for name, rate in rates.items():
        declared.setdefault(name, {})["rate"] = rate
    return declared
