"""Judging connections again: what each may still hold."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from django.contrib.auth.base_user import AbstractBaseUser

from realtime import conf, credentials
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
    """A verdict on each, in order, from a few queries for all of them."""
    users = credentials.standing({credential for credential, _ in connections})
    wanted: dict[str, dict[int, AbstractBaseUser]] = defaultdict(dict)
    for credential, keys in connections:
        if user := users.get(credential):
            for key in keys:
                wanted[key][user.pk] = user
    heard = {key: _listeners(key, who) for key, who in wanted.items()}
    return [
        Verdict(lost=[key for key in keys if credential.user_id not in heard[key]])
        if credential in users
        else Verdict(ended=True)
        for credential, keys in connections
    ]


def may_listen(credential: Credential, key: str) -> bool:
    """Whether the credential stands and its user may hear this stream: their own, or by the host."""
    user = credential.user()
    return user is not None and user.pk in _listeners(key, {user.pk: user})


def _listeners(key: str, users: dict[int, AbstractBaseUser]) -> set[int]:
    """Those of the users who may hear this stream."""
    kind, _, owner = key.partition(":")
    if kind == "user":
        return {pk for pk in users if str(pk) == owner}
    if listeners := conf.listeners():
        return set(listeners(key, set(users)))
    may = conf.may_listen()
    return {pk for pk, user in users.items() if may(user, key)}
