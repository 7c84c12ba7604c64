"""What may happen how often, counted by whom: the policies that the settings declare."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from throttling import conf
from throttling.rates import InvalidRateError, Rate, parse


class By(StrEnum):
    """What a policy counts by; ``url:<name>`` (an argument of the URL) besides these."""

    USER = "user"
    """The authenticated user."""
    ADDRESS = "address"
    """The client's address, an IPv6 one by its prefix."""
    NAME_AND_ADDRESS = "name and address"
    """The user name somebody tries to log in with, and where from."""
    NAME = "name"
    """The user name somebody tries to log in with."""


class OnFailure(StrEnum):
    """What is done while Redis is away."""

    OPEN = "open"
    """Let it pass."""
    LOCAL = "local"
    """Count in this process."""
    CLOSED = "closed"
    """Refuse with 503."""


DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "api": {"rate": "1000/m:200", "by": By.USER},
    "conditional": {"rate": "6000/m", "by": By.USER, "give_back": False},
    "anon": {"rate": "60/m", "by": By.ADDRESS},
    "login_ip": {"rate": "10/m", "by": By.ADDRESS, "on_failure": OnFailure.LOCAL},
    "login_user": {"rate": "5/15m", "by": By.NAME_AND_ADDRESS, "on_failure": OnFailure.LOCAL},
    "login_name": {
        "rate": "20/15m",
        "by": By.NAME,
        "on_failure": OnFailure.LOCAL,
        "longest_wait": 3600,
    },
}


class InvalidPolicyError(ValueError):
    """A policy is declared wrongly."""


class UnknownPolicyError(LookupError):
    """No policy has this name."""


@dataclass(frozen=True)
class Policy:
    name: str
    rate: Rate
    by: str
    on_failure: OnFailure = OnFailure.OPEN
    give_back: bool = True
    """A 304 or a replay of an earlier answer costs nothing."""
    accepted_only: bool = False
    """An answer of 4xx or 5xx costs nothing: only what was done is counted."""
    shadow: bool = False
    """Counted and reported, never refusing."""
    longest_wait: int = 0
    """Seconds; above 0, each refusal in a row doubles the wait up to this."""
    plans: Mapping[str, Rate] = field(default_factory=dict, hash=False)

    def rate_for(self, plan: str | None) -> Rate:
        return self.rate if plan is None else self.plans.get(plan, self.rate)


# What a bucket's key, a header field and the allowlist can hold.
_NAME = re.compile(r"[\w-]+", re.ASCII)
_FIELDS = {"rate", "by", "on_failure", "give_back", "accepted_only", "shadow", "longest_wait"}


def read(name: str, declaration: Mapping[str, Any], plans: Mapping[str, str]) -> Policy:
    """The policy as declared; raises InvalidPolicyError saying what is wrong."""
    if not _NAME.fullmatch(name):
        raise InvalidPolicyError("needs a name of letters, digits, _ and - alone")
    unknown = declaration.keys() - _FIELDS
    if unknown:
        raise InvalidPolicyError(f"has unknown keys: {', '.join(sorted(unknown))}")
    missing = {"rate", "by"} - declaration.keys()
    if missing:
        raise InvalidPolicyError(f"lacks {' and '.join(sorted(missing))}")
    by = str(declaration["by"])
    if by not in set(By) and not by.removeprefix("url:").isidentifier():
        raise InvalidPolicyError(f"is counted by {by!r}; use {', '.join(By)} or url:<argument>")
    longest_wait = declaration.get("longest_wait", 0)
    if type(longest_wait) is not int or longest_wait < 0:
        raise InvalidPolicyError(f"has the longest_wait {longest_wait!r}; write seconds, 0 or more")
    try:
        return Policy(
            name,
            parse(declaration["rate"]),
            by,
            OnFailure(declaration.get("on_failure", OnFailure.OPEN)),
            give_back=bool(declaration.get("give_back", True)),
            accepted_only=bool(declaration.get("accepted_only", False)),
            shadow=bool(declaration.get("shadow", False)),
            longest_wait=longest_wait,
            plans={plan: parse(rate) for plan, rate in plans.items()},
        )
    except (InvalidRateError, ValueError) as error:
        raise InvalidPolicyError(str(error)) from error


def declarations() -> dict[str, dict[str, Any]]:
    """The defaults with what the settings say over them; None takes a default away."""
    merged: dict[str, dict[str, Any]] = {name: dict(given) for name, given in DEFAULTS.items()}
    for name, given in conf.declared().get("POLICIES", {}).items():
        if given is None:
            merged.pop(name, None)
        else:
            over = given if isinstance(given, Mapping) else {"rate": given}
            merged[name] = {**merged.get(name, {}), **over}
    return merged


def every() -> Mapping[str, Policy]:
    """All policies by name."""
    return _every(conf.Same(conf.declared()))


def get(name: str) -> Policy:
    try:
        return every()[name]
    except KeyError:
        raise UnknownPolicyError(
            f"THROTTLING declares no policy {name!r}; it has {', '.join(sorted(every()))}."
        ) from None


@lru_cache(maxsize=4)
def _every(_declared: conf.Same) -> Mapping[str, Policy]:
    plans = conf.plans()
    return {
        name: read(
            name,
            declaration,
            {plan: rates[name] for plan, rates in plans.items() if name in rates},
        )
        for name, declaration in declarations().items()
    }
