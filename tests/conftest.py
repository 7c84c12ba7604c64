from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from koinonia.models import Church, Role
from tests import cast


@pytest.fixture
def grace(db: None) -> Church:
    """Grace church."""
    return cast.church("grace", "+13125550100")


@pytest.fixture
def hope(db: None) -> Church:
    """Hope church, another tenant."""
    return cast.church("hope", "+13125550200")


@pytest.fixture
def grace_owner(grace: Church) -> User:
    return cast.staff(grace, Role.OWNER)


@pytest.fixture
def grace_sender(grace: Church) -> User:
    return cast.staff(grace, Role.SENDER)


@pytest.fixture
def grace_viewer(grace: Church) -> User:
    return cast.staff(grace, Role.VIEWER)


@pytest.fixture
def hope_owner(hope: Church) -> User:
    return cast.staff(hope, Role.OWNER)


@pytest.fixture
def stranger(db: None) -> User:
    """A user who is staff of no church."""
    return User.objects.create_user("stranger", password=cast.PASSWORD)
