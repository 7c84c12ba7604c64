"""Notices to every web process that a user's access may have changed.

Django's own signals report changes of users; the host reports changes of its roles and tokens.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from realtime import notices


def changed(user_id: Any) -> None:
    """Check the access of every socket of this user again, after commit.

    A lost notice delays the check: each process also checks all its sockets every few seconds.
    """
    notice = {"type": "rights.changed", "user": str(user_id)}
    transaction.on_commit(partial(notices.publish, notices.RIGHTS_GROUP, notice))


def connect() -> None:
    """Connect the signals that report changes of users."""
    user_model = get_user_model()
    post_save.connect(_on_user, sender=user_model, dispatch_uid="realtime.saved")
    post_delete.connect(_on_user, sender=user_model, dispatch_uid="realtime.deleted")
    user_logged_out.connect(_on_logout, dispatch_uid="realtime.logged_out")


def _on_user(*, instance: AbstractBaseUser, created: bool = False, **_: Any) -> None:
    if not created:
        changed(instance.pk)


def _on_logout(*, user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:
        changed(user.pk)
