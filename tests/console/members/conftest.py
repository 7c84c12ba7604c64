from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from koinonia.models import Church, Member
from tests.support import cast

BASE = "/churches/grace/members/"


@pytest.fixture(autouse=True)
def swift(settings: Any) -> None:
    """Turn off rate limits and slow password hashes, which other tests cover."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": False}


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client_of


@pytest.fixture
def office(signed_in: Callable[[User], Client], grace_sender: User) -> Client:
    """Sign in a colleague who may send."""
    return signed_in(grace_sender)


@pytest.fixture
def reader(signed_in: Callable[[User], Client], grace_viewer: User) -> Client:
    """Sign in a colleague who may only read."""
    return signed_in(grace_viewer)


@pytest.fixture
def anna(grace: Church) -> Member:
    return cast.member(grace, "Anna", "+13125550111", last_name="Lee")


@pytest.fixture
def ben(grace: Church) -> Member:
    return cast.member(grace, "Ben", "+13125550112")
