from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django.fixtures import Settings

from delivery.admin import SUPPORT_PERMISSIONS
from tests.delivery.dead_letters.conftest import letter

__all__ = ["letter"]


@pytest.fixture
def support(db: None, settings: Settings) -> User:
    """Someone with the permissions of support, and none else."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    user = User.objects.create_user("support", is_staff=True)
    for name in SUPPORT_PERMISSIONS:
        app_label, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app_label, codename=codename)
        )
    return user


@pytest.fixture
def client(support: User) -> Client:
    client = Client()
    client.force_login(support)
    return client
