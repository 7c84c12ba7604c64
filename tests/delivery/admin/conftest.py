from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django.fixtures import Settings

from tests.delivery.dead_letters.conftest import letter

__all__ = ["letter"]

SUPPORT_PERMISSIONS = (
    "delivery.view_deadletter",
    "delivery.change_deadletter",
    "delivery.view_attempt",
    "delivery.view_deadletteraction",
    "delivery.view_breakertransition",
    "delivery.change_breakertransition",
    "delivery.view_spendlimit",
    "delivery.add_spendlimit",
    "delivery.change_spendlimit",
    "delivery.view_retryrun",
    "delivery.view_slowdown",
    "delivery.add_slowdown",
    "delivery.change_slowdown",
    "delivery.view_tenantstop",
    "delivery.add_tenantstop",
    "delivery.change_tenantstop",
)
"""The permissions of a person who looks after sending, with minimal access to members."""


@pytest.fixture
def support(db: None, settings: Settings) -> User:
    """Return a user with the permissions of support alone."""
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
