"""The host's side: a stream per club, heard by the members of the group of that name."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User


def may_listen(user: AbstractBaseUser, key: str) -> bool:
    kind, _, name = key.partition(":")
    return kind == "club" and User.objects.filter(pk=user.pk, groups__name=name).exists()


class Tokens:
    """``token-<user name>``, as long as the user is called that."""

    def authenticate(self, token: str) -> tuple[AbstractBaseUser, str] | None:
        user = User.objects.filter(username=token.removeprefix("token-")).first()
        return (user, user.username) if user and token.startswith("token-") else None

    def is_valid(self, reference: str) -> bool:
        return User.objects.filter(username=reference).exists()


tokens = Tokens()
