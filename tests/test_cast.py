from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection

from koinonia.models import Church


def test_each_person_sees_only_the_churches_they_are_staff_of(
    grace_owner: User, hope_owner: User, stranger: User
) -> None:
    seen = [
        [church.slug for church in Church.objects.of(user)]
        for user in (grace_owner, hope_owner, stranger)
    ]
    assert seen == [["grace"], ["hope"], []]


@pytest.mark.django_db
def test_the_run_uses_the_database_that_was_asked_for(pytestconfig: pytest.Config) -> None:
    asked = pytestconfig.getoption("database")
    assert connection.vendor == {"sqlite": "sqlite", "postgres": "postgresql"}[asked]
