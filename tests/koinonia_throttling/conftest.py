from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from knox.models import AuthToken

from tests.throttling.conftest import full_buckets

__all__ = ["bearer", "full_buckets"]

Bearer = Callable[[User], dict[str, str]]


@pytest.fixture
def bearer(db: None) -> Bearer:
    """Make headers with a valid token of a user."""

    def headers(user: User) -> dict[str, str]:
        return {"Authorization": f"Bearer {AuthToken.objects.create(user=user)[1]}"}

    return headers
