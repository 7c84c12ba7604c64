"""Accounts that a user or operator creates for another person, who alone chooses the password."""

from __future__ import annotations

import re

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

_NOT_IN_NAMES = re.compile(r"[^\w.@+-]+")
_MAX_BASE_LENGTH = 140
_MAX_TRIES = 100


def username_for(email: str) -> str:
    """Return the preferred user name for this address: the address itself."""
    return User.normalize_username(_NOT_IN_NAMES.sub("-", email.lower()))[:_MAX_BASE_LENGTH]


def create_for(email: str, password: str) -> User:
    """Create an account for a verified address; append a number to the name if it is taken.

    The user does not choose the name, because a refusal would tell which names exist.
    """
    base = username_for(email)
    for number in range(1, _MAX_TRIES):
        name = base if number == 1 else f"{base}-{number}"
        try:
            with transaction.atomic():
                return User.objects.create_user(name, email=email, password=password)
        except IntegrityError:
            continue
    raise RuntimeError("All user names for this address are taken.")


def password_link(user: User) -> str:
    """Return a link to set a password. A password change invalidates the link."""
    path = reverse(
        "password_reset_confirm",
        args=[
            urlsafe_base64_encode(force_bytes(user.pk)),
            default_token_generator.make_token(user),
        ],
    )
    return f"{settings.PUBLIC_URL}{path}"
