from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

API = "/api/v1/"


@pytest.fixture
def as_user() -> Callable[[User], APIClient]:
    """Return a client with a session of ``user``, without the cost of hashing a password."""

    def client_of(user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return client_of


@pytest.fixture
def owner(as_user: Callable[[User], APIClient], grace_owner: User) -> APIClient:
    return as_user(grace_owner)


@pytest.fixture
def sender(as_user: Callable[[User], APIClient], grace_sender: User) -> APIClient:
    return as_user(grace_sender)


@pytest.fixture
def viewer(as_user: Callable[[User], APIClient], grace_viewer: User) -> APIClient:
    return as_user(grace_viewer)


@pytest.fixture(autouse=True)
def always_swift(swift: None) -> None: ...
