"""The host's rules: each club has a stream, and the members of its group may listen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.http import HttpRequest


def may_listen(user: AbstractBaseUser, key: str) -> bool:
    kind, _, name = key.partition(":")
    return kind == "club" and User.objects.filter(pk=user.pk, groups__name=name).exists()


def address_of(request: HttpRequest) -> str:
    """Return the address in the header, because all test clients run on one machine."""
    return str(request.META.get("HTTP_X_REAL_IP", "127.0.0.1"))


def may_fail(request: HttpRequest) -> bool:
    """Allow ten failures of each address; do not limit clients without the header."""
    if "HTTP_X_REAL_IP" not in request.META:
        return True
    failures[address_of(request)] += 1
    return failures[address_of(request)] <= 10


failures: Counter[str] = Counter()


def listeners(key: str, user_ids: Set[int]) -> set[int]:
    kind, _, name = key.partition(":")
    users = User.objects.filter(pk__in=user_ids, groups__name=name)
    return set(users.values_list("pk", flat=True)) if kind == "club" else set()


class Tokens:
    """Bearer tokens ``token-<user name>``, valid until the user is renamed."""

    def authenticate(self, token: str) -> tuple[AbstractBaseUser, str] | None:
        user = User.objects.filter(username=token.removeprefix("token-")).first()
        return (user, user.username) if user and token.startswith("token-") else None

    def valid(self, references: Set[str]) -> set[str]:
        users = User.objects.filter(username__in=references)
        return set(users.values_list("username", flat=True))


tokens = Tokens()
