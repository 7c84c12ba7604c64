"""Changing a password, and ending everything that stands on the one before."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from knox.models import AuthToken

from koinonia.accounts import session_store, tokens
from realtime import rights, tickets


def change(user: User, password: str) -> None:
    """Set a new password. Raises Django's ValidationError, with a sentence per rule that it breaks.

    Every session, token, ticket and socket of the user ends: each was bound to the old hash.
    """
    validate_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        # The receiver of the save tells the sockets.
        user.save(update_fields=["password"])


def log_out_everywhere(user: User) -> None:
    """End every session, token, ticket and socket of the user; the password stays."""
    with transaction.atomic():
        tokens.lock(user)
        session_store.end_all(user)
        AuthToken.objects.filter(user=user).delete()
        tickets.withdraw(user.pk)
        rights.changed(user.pk)


def on_user_saved(
    instance: User, created: bool = False, update_fields: Any = None, **_: Any
) -> None:
    """Receive ``post_save`` of users: delete the tokens of an earlier password."""
    if not created and (update_fields is None or "password" in update_fields):
        # Django keeps the raw password on the instance until the save is done.
        tokens.end_stale(instance, unknown_too=vars(instance).get("_password") is not None)
