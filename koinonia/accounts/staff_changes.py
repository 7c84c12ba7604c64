"""Changes of memberships by owners, and leaving: for the API and the console."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from koinonia import audit
from koinonia.accounts.last_owner import last_owners
from koinonia.models import Role, Staff


class LastOwnerError(Exception):
    """The change would leave the church without an owner."""


@transaction.atomic
def change_role(membership: Staff, role: str, by: User) -> None:
    """Give the colleague another role. Raise LastOwnerError."""
    if role != Role.OWNER:
        _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    audit.record(membership.church, by, "staff.changed", membership, {"role": role})


@transaction.atomic
def remove(membership: Staff, by: User) -> bool:
    """End the membership; return False if it has ended already. Raise LastOwnerError."""
    _keep_an_owner(membership)
    church, key, role = membership.church, membership.pk, membership.role
    if not membership.delete()[0]:
        return False
    membership.pk = key
    audit.record(church, by, "staff.removed", membership, {"role": role})
    return True


def _keep_an_owner(membership: Staff) -> None:
    if last_owners(Staff.objects.filter(pk=membership.pk)):
        raise LastOwnerError
