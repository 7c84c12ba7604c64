from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from koinonia.accounts.support_group import SUPPORT


@pytest.fixture
def support_user(db: None) -> User:
    user = User.objects.create_user("support", is_staff=True)
    user.groups.add(Group.objects.get(name=SUPPORT))
    return user


@pytest.fixture
def support(support_user: User) -> Client:
    client = Client()
    client.force_login(support_user)
    return client
