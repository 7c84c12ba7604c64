"""The rate-limit policies that the settings declare: each has a rate and counts by something."""

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
    """The ways in which a policy counts; a policy can also count by ``url:<argument of the URL>``."""

    USER = "user"
    """The authenticated user."""
    ADDRESS = "address"
    """The client's address, an IPv6 one by its prefix."""
    NAME_AND_ADDRESS = "name and address"
    """The user name of a login attempt together with the address that it comes from."""
    NAME = "name"
    """The user name of a login attempt, over all addresses."""


class OnFailure(StrEnum):
    """The rule of a policy while Redis is away."""

    OPEN = "open"
    """Allow the request."""
    LOCAL = "local"
    """Count in this process alone."""
    CLOSED = "closed"
    """Refuse with 503."""


LOGIN_ADDRESS = "login_ip"
LOGIN_NAME_AND_ADDRESS = "login_user"
LOGIN_NAME = "login_name"
"""The public names of the three login policies. Each constant says how its policy counts."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "api": {"rate": "1000/m:200", "by": By.USER},
    "conditional": {"rate": "6000/m", "by": By.USER, "give_back": False},
    "anon": {"rate": "60/m", "by": By.ADDRESS},
    LOGIN_ADDRESS: {"rate": "10/m", "by": By.ADDRESS, "on_failure": OnFailure.LOCAL},
    LOGIN_NAME_AND_ADDRESS: {
        "rate": "5/15m",
        "by": By.NAME_AND_ADDRESS,
        "on_failure": OnFailure.LOCAL,
    },
    LOGIN_NAME: {
        "rate": "20/15m",
        "by": By.NAME,
        "on_failure": OnFailure.LOCAL,
        "longest_wait": 3600,
    },
}


class InvalidPolicyError(ValueError):
    """A wrong declaration; the message names the mistake."""


class UnknownPolicyError(LookupError):
    """A name that no policy has."""


@dataclass(frozen=True)
class Policy:
    name: str
    rate: Rate
    by: str
    on_failure: OnFailure = OnFailure.OPEN
    give_back: bool = True
    """A 304, and the replay of an earlier answer, cost nothing."""
    accepted_only: bool = False
    """Only an accepted request costs; an answer of 4xx or 5xx is free."""
    shadow: bool = False
    """Count and report, but never refuse."""
    longest_wait: int = 0
    """Seconds. Above 0, each refusal in a row doubles the wait, up to this."""
    plans: Mapping[str, Rate] = field(default_factory=dict, hash=False)

    def rate_for(self, plan: str | None) -> Rate:
        return self.rate if plan is None else self.plans.get(plan, self.rate)


# A name must fit into a bucket's key, a header field and the allowlist.
_NAME = re.compile(r"[\w-]+", re.ASCII)
_FIELDS = {"rate", "by", "on_failure", "give_back", "accepted_only", "shadow", "longest_wait"}


def read(name: str, declaration: Mapping[str, Any], plans: Mapping[str, str]) -> Policy:
    """Return the declared policy; raise InvalidPolicyError if the declaration is wrong."""
    if not _NAME.fullmatch(name):
        raise InvalidPolicyError("may have only letters, digits, _ and - in its name")
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
    """Return the defaults, overridden by the settings; None removes a default."""
    merged: dict[str, dict[str, Any]] = {name: dict(given) for name, given in DEFAULTS.items()}
    for name, given in conf.value("POLICIES").items():
        if given is None:
            merged.pop(name, None)
        else:
            over = given if isinstance(given, Mapping) else {"rate": given}
            merged[name] = {**merged.get(name, {}), **over}
    return merged


def by_name() -> Mapping[str, Policy]:
    return _by_name(conf.IdentityKey(conf.declared()))


def get(name: str) -> Policy:
    try:
        return by_name()[name]
    except KeyError:
        raise UnknownPolicyError(
            f"THROTTLING declares no policy {name!r}; it has {', '.join(sorted(by_name()))}."
        ) from None


@lru_cache(maxsize=4)
def _by_name(_declared: conf.IdentityKey) -> Mapping[str, Policy]:
    plans = conf.plans()
    return {
        name: read(
            name,
            declaration,
            {plan: rates[name] for plan, rates in plans.items() if name in rates},
        )
        for name, declaration in declarations().items()
    }
