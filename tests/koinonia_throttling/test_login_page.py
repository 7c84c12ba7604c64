"""The page to sign in limits guesses of a password."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


def test_guesses_at_the_login_page_are_limited(client: Client, grace_owner: User) -> None:
    guess = {"username": grace_owner.username, "password": "wrong"}
    statuses = [client.post("/login/", guess).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
