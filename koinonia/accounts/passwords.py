"""Password changes, which end all sessions, tokens and sockets of the user."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from knox.models import AuthToken

from koinonia.accounts import session_store, tokens
from realtime import rights, tickets


def change(user: User, password: str) -> None:
    """Set a new password. Raise Django's ValidationError with one sentence per broken rule.

    Every session, token, ticket and socket of the user ends, because each is bound to the old hash.
    """
    validate_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        # The post_save receiver closes the sockets.
        user.save(update_fields=["password"])


def log_out_everywhere(user: User) -> None:
    """End every session, token, ticket and socket of the user. The password stays."""
    with transaction.atomic():
        tokens.lock(user)
        session_store.end_all(user)
        AuthToken.objects.filter(user=user).delete()
        tickets.withdraw(user.pk)
        rights.changed(user.pk)


def on_user_saved(
    instance: User, created: bool = False, update_fields: Any = None, **_: Any
) -> None:
    """Receive ``post_save`` of users: delete the tokens that an earlier password created."""
    if not created and (update_fields is None or "password" in update_fields):
        # Django keeps the raw password on the instance until the save ends.
        tokens.end_stale(instance, unknown_too=vars(instance).get("_password") is not None)
