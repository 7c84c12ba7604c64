from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from koinonia.models import Church
from tests.koinonia.inbox.conftest import receive


@pytest.fixture(autouse=True)
def swift(settings: Any) -> None:
    """Turn off rate limits, which other tests cover."""
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": False}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def sender(grace_sender: User) -> Client:
    return signed_in(grace_sender)


@pytest.fixture
def owner(grace_owner: User) -> Client:
    return signed_in(grace_owner)


@pytest.fixture
def viewer(grace_viewer: User) -> Client:
    return signed_in(grace_viewer)


@pytest.fixture
def other_office(hope_owner: User) -> Client:
    return signed_in(hope_owner)


@pytest.fixture
def unread(grace: Church) -> Callable[..., str]:
    """Return a function that receives a text and returns the path of its conversation."""
    from koinonia.ids import encode

    def received(words: str = "Yes!", **over: Any) -> str:
        return f"/churches/grace/inbox/{encode(receive(grace, words, **over).thread or 0)}/"

    return received
