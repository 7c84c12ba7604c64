"""The host's side: a stream per club, heard by the members of the group of that name."""

from __future__ import annotations

from collections import Counter

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.http import HttpRequest


def may_listen(user: AbstractBaseUser, key: str) -> bool:
    kind, _, name = key.partition(":")
    return kind == "club" and User.objects.filter(pk=user.pk, groups__name=name).exists()


def address_of(request: HttpRequest) -> str:
    """Whatever the proxy says, for these clients come from one machine."""
    return str(request.META.get("HTTP_X_REAL_IP", "127.0.0.1"))


def may_fail(request: HttpRequest) -> bool:
    """Ten times, for ever; who does not say where they come from as often as they like."""
    if "HTTP_X_REAL_IP" not in request.META:
        return True
    failures[address_of(request)] += 1
    return failures[address_of(request)] <= 10


failures: Counter[str] = Counter()


class Tokens:
    """``token-<user name>``, as long as the user is called that."""

    def authenticate(self, token: str) -> tuple[AbstractBaseUser, str] | None:
        user = User.objects.filter(username=token.removeprefix("token-")).first()
        return (user, user.username) if user and token.startswith("token-") else None

    def is_valid(self, reference: str) -> bool:
        return User.objects.filter(username=reference).exists()


tokens = Tokens()
