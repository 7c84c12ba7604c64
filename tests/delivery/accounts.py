"""The provider account of the tests, and its settings."""

from __future__ import annotations

from typing import Any

from delivery.providers import registry
from delivery.providers.base import Account

ALIAS = "telnyx"


def account() -> Account:
    return registry.account(ALIAS)


def with_provider(settings: Any, **options: Any) -> dict[str, Any]:
    """Return ``settings.DELIVERY`` with ``options`` changed for the account of the tests."""
    present: dict[str, Any] = settings.DELIVERY
    changed = {**present["PROVIDERS"][ALIAS], **options}
    return {**present, "PROVIDERS": {**present["PROVIDERS"], ALIAS: changed}}
