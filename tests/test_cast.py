from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection

from koinonia.models import Church


def test_a_user_sees_only_churches_of_a_membership(
    grace_owner: User, hope_owner: User, stranger: User
) -> None:
    seen = [
        [church.slug for church in Church.objects.of(user)]
        for user in (grace_owner, hope_owner, stranger)
    ]
    assert seen == [["grace"], ["hope"], []]


@pytest.mark.django_db
def test_the_run_uses_the_requested_database(pytestconfig: pytest.Config) -> None:
    asked = pytestconfig.getoption("database")
    assert connection.vendor == {"sqlite": "sqlite", "postgres": "postgresql"}[asked]
