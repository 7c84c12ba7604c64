"""The sending numbers of a tenant, each with the provider account that it belongs to."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.apps import apps
from django.db.models import Model

from delivery import conf


class Sender(NamedTuple):
    provider: str
    """The alias of the account."""
    number: str


def sender_of(tenant: Model) -> Sender | None:
    """Return the tenant's sender; None while it has no number."""
    number = str(getattr(tenant, conf.tenant_number_field()) or "")
    return Sender(_provider_of(tenant, number), number) if number else None


def senders_of(tenant: Model) -> tuple[Sender, ...]:
    """Return the senders that a message of this tenant may leave through, the first one first.

    The second one serves while the provider of the first one is down (:mod:`delivery.failover`).
    """
    first = sender_of(tenant)
    if first is None:
        return ()
    second_sender = conf.second_sender()
    second = second_sender(tenant) if second_sender else None
    return (first,) if second is None else (first, Sender(*second))


def tenant_by_key(tenant_id: Any) -> Any:
    """Return the tenant with all that sending needs of it. This runs with every claim."""
    read = conf.tenant_by_key()
    if read is not None:
        return read(tenant_id)
    return apps.get_model(conf.tenant_model())._default_manager.get(pk=tenant_id)


def senders_by_key(tenant_id: Any) -> tuple[Sender, ...]:
    """Return the senders of the tenant with this key."""
    return senders_of(tenant_by_key(tenant_id))


def _provider_of(tenant: Model, number: str) -> str:
    provider_of = conf.provider_of()
    return conf.default_provider() if provider_of is None else provider_of(tenant, number)
