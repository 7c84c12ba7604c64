from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from koinonia.models import Church
from tests.httpopt.church_data import fill_church

# A separate project with other settings, which test_alone.py runs.
collect_ignore = ["alone"]


@pytest.fixture(autouse=True)
def always_swift(swift: None) -> None: ...


@pytest.fixture
def two_churches(
    grace: Church, hope: Church, grace_owner: User, hope_owner: User
) -> list[tuple[User, Church]]:
    fill_church(grace, grace_owner)
    fill_church(hope, hope_owner)
    return [(grace_owner, grace), (hope_owner, hope)]
