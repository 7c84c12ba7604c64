"""Tell a running simulator the numbers of the account."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import requests
from django.apps import apps
from django.db import connection

from delivery import conf
from delivery.providers import registry
from delivery.providers.telnyx.provider import TelnyxProvider

_TIMEOUT = 2.0


def register(numbers: Iterable[str], directory: Path) -> bool:
    """Add ``numbers`` to the account of the simulator that runs on ``directory`` (its DATA_DIR).

    Return False if no simulator runs there, or if another provider is in use. With ``--numbers-of-
    tenants`` the simulator looks up a tenant's number itself.
    """
    try:
        found = json.loads((directory / "simulator.json").read_text())
        if found["base"] not in _bases():
            return False
        answer = requests.post(
            f"{found['control']}/numbers", json={"add": sorted(numbers)}, timeout=_TIMEOUT
        )
    except (OSError, ValueError, KeyError, TypeError, requests.RequestException):
        return False
    return answer.status_code == 200


def _bases() -> set[str]:
    """Return the API base of each configured account at Telnyx."""
    providers = map(registry.get, registry.aliases())
    return {one.api_base for one in providers if isinstance(one, TelnyxProvider)}


def is_a_tenants(number: str) -> bool:
    """Return True if a tenant of this project sends from ``number``. Open and close a connection."""
    tenants = apps.get_model(conf.tenant_model())._default_manager
    try:
        found: bool = tenants.filter(**{conf.tenant_number_field(): number}).exists()
    finally:
        connection.close()
    return found
