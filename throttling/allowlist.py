"""The allowlist: this process's copy of its rows, and how other processes learn of a change.

A change is announced as a new version in Redis. Each decision carries the announced version, so that
a process rereads the rows before its next request is decided.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from django.db import transaction
from django.utils import timezone

from throttling import conf, shared_buckets
from throttling.addresses import Address
from throttling.buckets import BucketsUnavailableError
from throttling.charges import name_digest

logger = logging.getLogger(__name__)
Policies = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The sender of a request; unknown parts are None."""

    address: Address | None = None
    user: str | None = None
    """Primary key of the authenticated user."""
    token: str | None = None
    """Name of the API token (THROTTLING["TOKEN_OF"])."""
    name: str | None = None
    """Digest of the user name of a login attempt."""


@dataclass(frozen=True)
class _Entry:
    policies: Policies
    """Empty for all policies."""
    expires_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True)
class Allowlist:
    """The rows at one version."""

    version: str | None = None
    read_at: float = 0.0
    users: Mapping[str, list[_Entry]] = field(default_factory=dict)
    names: Mapping[str, list[_Entry]] = field(default_factory=dict)
    tokens: Mapping[str, list[_Entry]] = field(default_factory=dict)
    networks: tuple[tuple[conf.Network, _Entry], ...] = ()

    def exempt(self, caller: Caller, names: Iterable[str], *, now: datetime) -> Policies:
        """Return the policies, of those named, that do not count this caller."""
        wanted = frozenset(names)
        exempt: set[str] = set()
        for entry in self._entries(caller):
            if entry.is_valid(now):
                exempt |= (entry.policies & wanted) or (wanted if not entry.policies else set())
        # Before a login a user name proves nothing: only entries that name the policy exempt it.
        for entry in self.names.get(caller.name or "", ()):
            if entry.is_valid(now):
                exempt |= entry.policies & wanted
        return frozenset(exempt)

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
    """Return the copy; reread an old one, in case a change could not be announced."""
    if _copy.version is None or time.monotonic() - _copy.read_at > conf.allowlist_max_age():
        return read_again(_copy.version or "")
    return _copy


def read_again(version: str) -> Allowlist:
    """Read all rows. ``version`` was announced before the read, so the rows are at least as new."""
    global _copy  # the one copy of this process
    _copy = _read(version)
    return _copy


def forget() -> None:
    """Drop the copy, so that the next request reads the rows."""
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


def announce() -> None:
    """Tell every process that the rows changed; never raise.

    A process that misses the announcement rereads the rows when its copy is old.
    """
    try:
        # A random version: a counter would start again when Redis is flushed.
        shared_buckets.store().announce(secrets.token_hex(8))
    except BucketsUnavailableError as error:
        logger.warning(
            "The change of the allowlist could not be announced: %s",
            error,
            extra={"action": "allowlist_not_announced"},
        )


def announce_after_commit(**_kwargs: Any) -> None:
    """Receive post_save and post_delete of an allowlist entry."""
    transaction.on_commit(announce)
