from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from koinonia.models import Church
from tests.httpopt.furnished import furnish

# A project of its own, with settings of its own: test_alone.py runs it.
collect_ignore = ["alone"]


@pytest.fixture
def offices(
    grace: Church, hope: Church, grace_owner: User, hope_owner: User, settings: Any
) -> list[tuple[User, Church]]:
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": False}
    furnish(grace, grace_owner)
    furnish(hope, hope_owner)
    return [(grace_owner, grace), (hope_owner, hope)]
