"""Look up and fill the buckets of one user, address or user name, for the admin and the command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from throttling import addresses, policies, shared_buckets
from throttling.buckets import Bucket, BucketState
from throttling.charges import key_part, name_digest
from throttling.policies import By, Policy


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The search of the admin page; every given field is looked up."""

    user: str | None = None
    """Primary key."""
    name: str | None = None
    """User name of a login attempt, whether a user has it or not."""
    address: str | None = None
    """An IP address; an IPv6 one stands for its prefix."""
    bucket: str | None = None
    """The name of one bucket, such as ``broadcasts:grace``."""


@dataclass(frozen=True)
class BucketReport:
    """A bucket and its state, for people."""

    name: str
    policy: Policy
    state: BucketState

    @property
    def untouched(self) -> bool:
        return self.state.full_ms == 0

    @property
    def full_in(self) -> int:
        """Return the seconds until the bucket is full, rounded up."""
        return -(-self.state.full_ms // 1000)

    @property
    def wait(self) -> int:
        """Return the seconds until the bucket allows the next request, rounded up."""
        return -(-self.state.wait_ms // 1000)

    @property
    def limit(self) -> str:
        """Return the rate in words, such as ``1,000 a minute, at most 200 at once, for each user``."""
        rate = self.policy.rate
        at_once = "" if rate.burst == rate.count else f", at most {rate.burst:,} at once"
        return f"{rate.count:,} {_period(rate.period_ms)}{at_once}, for each {self.policy.by}"

    @property
    def low(self) -> int:
        """Return below how many tokens the page marks the bucket as low."""
        return -(-self.policy.rate.burst // 5)


class RefusalCount(NamedTuple):
    """The number of refusals of one bucket."""

    name: str
    times: int
    user: str
    """The user name, if the bucket counts a user."""


_PERIODS = {86_400_000: "day", 3_600_000: "hour", 60_000: "minute", 1_000: "second"}


def _period(milliseconds: int) -> str:
    for length, word in _PERIODS.items():
        if milliseconds == length:
            return f"an {word}" if word == "hour" else f"a {word}"
        if milliseconds % length == 0:
            return f"in {milliseconds // length} {word}s"
    return f"in {milliseconds} ms"


def look(subject: Subject) -> list[BucketReport]:
    """Return the buckets of the subject; raise BucketsUnavailableError.

    The rates are the rates of the policies: the plan of a subject is unknown here.
    """
    names = list(dict.fromkeys(_names(subject)))
    known = [(name, policy) for name in names if (policy := _policy_of(name)) is not None]
    buckets = [Bucket(name, policy.rate) for name, policy in known]
    states = shared_buckets.store().peek(buckets).states if buckets else ()
    return [
        BucketReport(name, policy, state)
        for (name, policy), state in zip(known, states, strict=True)
    ]


def reset(names: Sequence[str]) -> int:
    """Fill the named buckets and return how many were in use. Raises BucketsUnavailableError."""
    return shared_buckets.store().reset(names)


def valid_names(names: Sequence[str]) -> list[str]:
    """Return the names that a bucket can have; a person may have changed the form."""
    return [name for name in names if _policy_of(name) is not None]


def most_refused(limit: int = 20) -> list[RefusalCount]:
    """Return the buckets that refused most within at most an hour."""
    rows = shared_buckets.store().most_refused(limit)
    keys = {name: name.partition(":")[2] for name, _ in rows if _counts_users(name)}
    users = get_user_model()
    # A bucket may hold a key of an earlier user model, which this one could not look up.
    known = users._default_manager.in_bulk([key for key in keys.values() if _is_key(key)])
    names = {str(pk): user.get_username() for pk, user in known.items()}
    return [RefusalCount(name, times, names.get(keys.get(name, ""), "")) for name, times in rows]


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
    """Return the counted prefix of an address that a person typed; None if it is not an address."""
    found = addresses.parse(address.partition("/")[0])
    return None if found is None else addresses.prefix(found)


def user_key(name: str) -> str | None:
    """Return the counted key of the user with this name; None if the name is unknown."""
    if "\0" in name:
        # PostgreSQL refuses a query with a null character.
        return None
    users = get_user_model()
    user = users._default_manager.filter(**{users.USERNAME_FIELD: name}).only("pk").first()
    return None if user is None else str(user.pk)


def _names(subject: Subject) -> Iterator[str]:
    address = prefix_of(subject.address) if subject.address else None
    name = name_digest(subject.name) if subject.name else None
    for policy in policies.by_name().values():
        match policy.by:
            case By.USER if subject.user is not None:
                yield f"{policy.name}:{key_part(subject.user)}"
            case By.ADDRESS if address is not None:
                yield f"{policy.name}:{key_part(address)}"
            case By.NAME if name is not None:
                yield f"{policy.name}:{name}"
            case By.NAME_AND_ADDRESS if name or address:
                pattern = f"{policy.name}:{name or '*'}@{address or '*'}"
                yield from shared_buckets.store().names(pattern)
    if subject.bucket is not None:
        yield subject.bucket


def _policy_of(bucket: str) -> Policy | None:
    name, _, identity = bucket.partition(":")
    return policies.by_name().get(name) if key_part(identity) == identity else None
