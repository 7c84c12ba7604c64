"""The allowlist as this process holds it: read again when a decision says that it changed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network

from django.utils import timezone

from throttling import conf
from throttling.addresses import Address
from throttling.identities import name_digest

Policies = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whoever makes a request, as far as it is known."""

    address: Address | None = None
    user: str | None = None
    """Primary key of the authenticated user."""
    token: str | None = None
    """What names the API token used (THROTTLING["TOKEN_OF"])."""
    name: str | None = None
    """Digest of the user name with which somebody tries to log in."""


@dataclass(frozen=True)
class _Entry:
    policies: Policies
    expires_at: datetime | None

    def frees(self, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True)
class Allowlist:
    """All rows at one version."""

    version: str | None = None
    read_at: float = 0.0
    users: Mapping[str, list[_Entry]] = field(default_factory=dict)
    names: Mapping[str, list[_Entry]] = field(default_factory=dict)
    tokens: Mapping[str, list[_Entry]] = field(default_factory=dict)
    networks: tuple[tuple[conf.Network, _Entry], ...] = ()

    def exempt(self, caller: Caller, names: Iterable[str], *, now: datetime) -> Policies:
        """Which of the named policies do not count this caller."""
        wanted = frozenset(names)
        free: set[str] = set()
        for entry in self._entries(caller):
            if entry.frees(now):
                free |= (entry.policies & wanted) or (wanted if not entry.policies else set())
        # Nobody is a user before the login: only entries that name the policy free a user name.
        for entry in self.names.get(caller.name or "", ()):
            if entry.frees(now):
                free |= entry.policies & wanted
        return frozenset(free)

    def _entries(self, caller: Caller) -> Iterable[_Entry]:
        if caller.user is not None:
            yield from self.users.get(caller.user, ())
        if caller.token is not None:
            yield from self.tokens.get(caller.token, ())
        if caller.address is not None:
            for network, entry in self.networks:
                if caller.address in network:
                    yield entry


_copy = Allowlist()


def current() -> Allowlist:
    """The copy, read again where it is old; so a change that nobody could announce arrives too."""
    if _copy.version is None or time.monotonic() - _copy.read_at > conf.allowlist_max_age():
        return read_again(_copy.version or "")
    return _copy


def read_again(version: str) -> Allowlist:
    """Read all rows; ``version`` was announced before, so they are at least as new."""
    global _copy  # the one copy of this process
    _copy = _read(version)
    return _copy


def forget() -> None:
    """Let the next request read the rows."""
    global _copy  # the one copy of this process
    _copy = Allowlist()


def _read(version: str) -> Allowlist:
    from throttling.models import Allowance

    users: dict[str, list[_Entry]] = {}
    names: dict[str, list[_Entry]] = {}
    tokens: dict[str, list[_Entry]] = {}
    networks: list[tuple[conf.Network, _Entry]] = []
    for row in Allowance.objects.valid(timezone.now()).select_related("user"):
        entry = _Entry(row.policy_names, row.expires_at)
        if row.user is not None:
            users.setdefault(str(row.user.pk), []).append(entry)
            names.setdefault(name_digest(row.user.get_username()), []).append(entry)
        elif row.network:
            networks.append((ip_network(row.network, strict=False), entry))
        else:
            tokens.setdefault(row.token, []).append(entry)
    return Allowlist(version, time.monotonic(), users, names, tokens, tuple(networks))
