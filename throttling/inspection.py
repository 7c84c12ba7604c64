"""Buckets of one user, address or user name: for the admin, and for ``manage.py throttle``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from throttling import addresses, policies, stores
from throttling.buckets import Bucket, BucketState
from throttling.identities import name_digest, plain
from throttling.policies import By, Policy


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whom to look at; all that is given is looked up."""

    user: str | None = None
    """Primary key."""
    name: str | None = None
    """User name, known or not, that somebody tried to log in with."""
    address: str | None = None
    """An IP address; an IPv6 one stands for its prefix."""
    bucket: str | None = None
    """The name of one bucket, such as ``broadcasts:grace``."""


@dataclass(frozen=True)
class Shown:
    name: str
    policy: Policy
    state: BucketState

    @property
    def untouched(self) -> bool:
        return self.state.full_ms == 0

    @property
    def full_in(self) -> int:
        """Seconds, rounded up."""
        return -(-self.state.full_ms // 1000)

    @property
    def wait(self) -> int:
        """Seconds until the next request is let through, rounded up."""
        return -(-self.state.wait_ms // 1000)

    @property
    def low(self) -> int:
        """Fewer tokens than this are few."""
        return -(-self.policy.rate.burst // 5)


class Refused(NamedTuple):
    name: str
    times: int
    user: str
    """The user name, where the bucket counts a user."""


def look(subject: Subject) -> list[Shown]:
    """The buckets of the subject as they are; raises BucketsUnavailableError.

    Rates are those of the policies: a plan's rate is not known here.
    """
    names = list(dict.fromkeys(_names(subject)))
    known = [(name, policy) for name in names if (policy := _policy_of(name)) is not None]
    buckets = [Bucket(name, policy.rate) for name, policy in known]
    states = stores.shared().peek(buckets).states if buckets else ()
    return [Shown(name, policy, state) for (name, policy), state in zip(known, states, strict=True)]


def reset(names: Sequence[str]) -> int:
    """Fill the named buckets; how many were in use. Raises BucketsUnavailableError."""
    return stores.shared().reset(names)


def are_buckets(names: Sequence[str]) -> list[str]:
    """Those of the names that a bucket can have; the others came from no page of ours."""
    return [name for name in names if _policy_of(name) is not None]


def most_refused(limit: int = 20) -> list[Refused]:
    """The buckets that refused most within at most an hour."""
    rows = stores.shared().most_refused(limit)
    keys = {name: name.partition(":")[2] for name, _ in rows if _counts_users(name)}
    users = get_user_model()
    # What is no key (of a user model before this one) the database would not be asked for.
    known = users._default_manager.in_bulk([key for key in keys.values() if _is_key(key)])
    names = {str(pk): user.get_username() for pk, user in known.items()}
    return [Refused(name, times, names.get(keys.get(name, ""), "")) for name, times in rows]


def _counts_users(bucket: str) -> bool:
    policy = _policy_of(bucket)
    return policy is not None and policy.by == By.USER


def _is_key(text: str) -> bool:
    try:
        get_user_model()._meta.pk.to_python(text)
    except ValidationError:
        return False
    return True


def prefix_of(address: str) -> str | None:
    """What is counted for an address as a person writes it; None: it is none."""
    found = addresses.parse(address.partition("/")[0])
    return None if found is None else addresses.prefix(found)


def user_key(name: str) -> str | None:
    """The key by which the user of this name is counted; None: there is none."""
    if "\0" in name:
        # PostgreSQL refuses to be asked for it.
        return None
    users = get_user_model()
    user = users._default_manager.filter(**{users.USERNAME_FIELD: name}).only("pk").first()
    return None if user is None else str(user.pk)


def _names(subject: Subject) -> Iterator[str]:
    address = prefix_of(subject.address) if subject.address else None
    name = name_digest(subject.name) if subject.name else None
    for policy in policies.every().values():
        match policy.by:
            case By.USER if subject.user is not None:
                yield f"{policy.name}:{plain(subject.user)}"
            case By.ADDRESS if address is not None:
                yield f"{policy.name}:{plain(address)}"
            case By.NAME if name is not None:
                yield f"{policy.name}:{name}"
            case By.NAME_AND_ADDRESS if name or address:
                pattern = f"{policy.name}:{name or '*'}@{address or '*'}"
                yield from stores.shared().names(pattern)
    if subject.bucket is not None:
        yield subject.bucket


def _policy_of(bucket: str) -> Policy | None:
    name, _, identity = bucket.partition(":")
    return policies.every().get(name) if plain(identity) == identity else None
