from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from koinonia.accounts.support_group import SUPPORT


@pytest.mark.django_db
def test_support_manages_delivery_without_access_to_members() -> None:
    names = set(Group.objects.get(name=SUPPORT).permissions.values_list("codename", flat=True))
    assert {"change_deadletter", "change_breakertransition", "change_allowance"} <= names
    # Numbers are masked there, and each look at a whole one is in the audit log.
    allowed = {"find_message", "reveal_message", "view_optout"}
    assert not [
        name for name in names - allowed if name.endswith(("member", "message", "user", "optout"))
    ]
