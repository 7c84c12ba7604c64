"""Telling a running simulator which numbers are the account's."""

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

    Return False where no simulator runs there, or where another provider is in use: then the numbers
    are not its business. With ``--numbers-of-tenants`` it finds a tenant's number by itself.
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
    """Return whether a tenant of this project texts from ``number``. Opens and closes a connection."""
    tenants = apps.get_model(conf.tenant_model())._default_manager
    try:
        found: bool = tenants.filter(**{conf.tenant_number_field(): number}).exists()
    finally:
        connection.close()
    return found
