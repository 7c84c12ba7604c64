from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from koinonia.accounts.support_group import SUPPORT


@pytest.mark.django_db
def test_support_manages_delivery_without_access_to_members() -> None:
    names = set(Group.objects.get(name=SUPPORT).permissions.values_list("codename", flat=True))
    assert {"change_deadletter", "change_breakertransition", "change_allowance"} <= names
    assert not [name for name in names if name.endswith(("member", "message", "user", "optout"))]
