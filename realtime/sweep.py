"""Judging connections again: what each may still hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.base_user import AbstractBaseUser

from realtime import conf
from realtime.credentials import Credential


@dataclass(frozen=True, slots=True)
class Verdict:
    """``ended``: the credential itself; ``lost``: streams that its user may no longer hear."""

    ended: bool = False
    lost: list[str] = field(default_factory=list)

    @property
    def harmless(self) -> bool:
        return not self.ended and not self.lost


def judge(connections: list[tuple[Credential, list[str]]]) -> list[Verdict]:
    """A verdict on each, in order. Equal credentials and streams are looked up once."""
    users = {credential: credential.user() for credential in {c for c, _ in connections}}
    allowed: dict[tuple[int, str], bool] = {}

    def may(user: AbstractBaseUser, key: str) -> bool:
        if (user.pk, key) not in allowed:
            allowed[user.pk, key] = _may(user, key)
        return allowed[user.pk, key]

    return [
        Verdict(lost=[key for key in keys if not may(user, key)])
        if (user := users[credential])
        else Verdict(ended=True)
        for credential, keys in connections
    ]


def may_listen(credential: Credential, key: str) -> bool:
    """Whether the credential stands and its user may hear this stream: their own, or by the host."""
    user = credential.user()
    return user is not None and _may(user, key)


def _may(user: AbstractBaseUser, key: str) -> bool:
    return key == f"user:{user.pk}" or conf.may_listen()(user, key)
