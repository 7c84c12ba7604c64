from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete, post_save

from realtime import rights


def connect() -> None:
    """What Django itself tells of users; the host tells of its roles and tokens."""
    user_model = get_user_model()
    post_save.connect(_on_user, sender=user_model, dispatch_uid="realtime.saved")
    post_delete.connect(_on_user, sender=user_model, dispatch_uid="realtime.deleted")
    user_logged_out.connect(_on_logout, dispatch_uid="realtime.logged_out")


def _on_user(*, instance: AbstractBaseUser, created: bool = False, **_: Any) -> None:
    if not created:
        rights.changed(instance.pk)


def _on_logout(*, user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:
        rights.changed(user.pk)
