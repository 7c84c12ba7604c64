"""The providers that ``DELIVERY["PROVIDERS"]`` configures, by alias."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from django.utils.module_loading import import_string

from delivery import conf
from delivery.providers.base import Account, Provider


class UnknownProviderError(LookupError):
    """The settings have no provider with this alias."""


def aliases() -> list[str]:
    """Return the aliases of all configured providers, in the order of the settings."""
    return list(conf.providers())


def get(alias: str) -> Provider:
    """Return the shared instance of a provider, for the methods that any thread may call.

    Raises :class:`UnknownProviderError`.
    """
    return _shared(alias, _backend(alias))


def connect(alias: str) -> Provider:
    """Return a new instance, with new connections, for the calling thread.

    Raises :class:`UnknownProviderError`.
    """
    return _class(_backend(alias))(alias)


def account(alias: str) -> Account:
    """Return the account of a provider. Raises :class:`UnknownProviderError`."""
    return get(alias).account


def accounts() -> list[Account]:
    """Return the accounts of all configured providers, in the order of the settings."""
    return [account(alias) for alias in aliases()]


def _backend(alias: str) -> str:
    options = conf.providers().get(alias)
    if options is None:
        raise UnknownProviderError(f"DELIVERY['PROVIDERS'] has no {alias!r}.")
    return str(options.get("BACKEND", ""))


@lru_cache(maxsize=32)
def _class(backend: str) -> type[Provider]:
    return cast("type[Provider]", import_string(backend))


@lru_cache(maxsize=32)
def _shared(alias: str, backend: str) -> Provider:
    return _class(backend)(alias)
