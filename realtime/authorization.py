"""Access of open connections: checked at subscribe, after a notice, and every few seconds."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from django.contrib.auth.base_user import AbstractBaseUser

from realtime import conf, credentials
from realtime.credentials import Credential
from realtime.event_loop import run_in_background
from realtime.threads import in_thread


@dataclass(frozen=True, slots=True)
class Access:
    """The result of a check: ``expired`` is the credential, ``revoked`` lists streams by key."""

    expired: bool = False
    revoked: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.expired and not self.revoked


class Connection(Protocol):
    """A socket or a held request that must stop when its access ends."""

    credential: Credential

    def keys(self) -> list[str]:
        """Return the keys of the streams that the connection listens to."""

    async def apply_access(self, access: Access) -> None:
        """Stop everything that ``access`` revokes."""


def check_access(connections: list[tuple[Credential, list[str]]]) -> list[Access]:
    """Return the access of each connection, in order, from a few queries for all of them."""
    given = {credential for credential, _ in connections}
    users = credentials.valid_users(given)
    only = credentials.streams_of_tokens(given)
    candidates: dict[str, dict[int, AbstractBaseUser]] = defaultdict(dict)
    for credential, keys in connections:
        if user := users.get(credential):
            for key in keys:
                candidates[key][user.pk] = user
    allowed = {key: _allowed(key, candidate) for key, candidate in candidates.items()}
    return [
        Access(
            revoked=[
                key
                for key in keys
                if credential.user_id not in allowed[key]
                or key not in only.get(credential.bearer, (key,))
            ]
        )
        if credential in users
        else Access(expired=True)
        for credential, keys in connections
    ]


def may_listen(credential: Credential, key: str) -> bool:
    """Return whether the credential is valid and its user may listen to the stream ``key``."""
    [access] = check_access([(credential, [key])])
    return access.ok


def _allowed(key: str, users: dict[int, AbstractBaseUser]) -> set[int]:
    """Return the ids of those users who may listen to the stream."""
    kind, _, owner = key.partition(":")
    if kind == "user":
        return {pk for pk in users if str(pk) == owner}
    if listeners := conf.listeners():
        return set(listeners(key, set(users)))
    may = conf.may_listen()
    return {pk for pk, user in users.items() if may(user, key)}


class AccessMonitor:
    """Checks the access of all connections of one process, again and again."""

    def __init__(self, connections: Callable[[], list[Connection]]) -> None:
        self._connections = connections
        self._check_now = asyncio.Event()

    def check_soon(self) -> None:
        self._check_now.set()

    async def run(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._check_now.wait(), conf.sweep_seconds())
            except TimeoutError:
                pass  # no notice: this is the periodic check
            self._check_now.clear()
            connections = self._connections()
            accesses = await in_thread(
                check_access, [(each.credential, each.keys()) for each in connections]
            )
            for connection, access in zip(connections, accesses, strict=True):
                if not access.ok:
                    # A background task, because a stalled socket must not delay other sockets.
                    run_in_background(connection.apply_access(access))
