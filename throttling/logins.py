"""Limit logins: charge before the password is verified, refund if it was right.

    with logins.attempt(request, username) as attempt:  # raises LoginRefusedError
        user = authenticate(request, ...)
        if user is not None:
            attempt.succeeded()

Three policies count a login: by its address, by its user name together with the address, and by its
user name over all addresses. The last one leaves out addresses from which the name logged in lately,
so that an attacker elsewhere cannot lock a person out. An unknown user name is counted like a known
one and takes as long to verify. A burst of good logins refuses none of them (``logins_in_flight``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Self

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from throttling import (
    addresses,
    conf,
    limits,
    login_flood_guard,
    logins_in_flight,
    policies,
    responses,
)
from throttling.allowlist import Caller
from throttling.charges import Charge, ThrottleResult, earlier_name_digests, name_digest
from throttling.models import LoginAddress
from throttling.policies import By

POLICIES = (policies.LOGIN_ADDRESS, policies.LOGIN_NAME_AND_ADDRESS, policies.LOGIN_NAME)


class LoginRefusedError(Exception):
    """A login that may not be tried now; ``result`` has the refusing limits and the wait."""

    retryable = True

    def __init__(self, result: ThrottleResult) -> None:
        super().__init__(responses.problem(result)["detail"])
        self.result = result


@dataclass
class Attempt:
    """A login that may be tried."""

    name: str
    """Digest of the user name."""
    address: str
    result: ThrottleResult
    flight: logins_in_flight.Flight
    done: bool = False
    verified: bool = False
    """True when Django's ``authenticate`` has looked at the password."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.finished()

    def finished(self) -> None:
        """End the verification. Without ``succeeded`` the password was wrong and the charge stays.

        Django's ``authenticate(request, …)`` causes this call by itself when it finds no user.
        """
        self.flight.end()

    def withdraw(self) -> None:
        """Refund a login without a name or a password. The charge stays if something was verified."""
        if not self.done and not self.verified and conf.enabled():
            self.done = True
            self.result.give_back(everything=True)
        self.finished()

    def succeeded(self) -> None:
        """Refund a login with the right password, and remember its address."""
        if self.done or not conf.enabled():
            return
        self.done = True
        self.result.give_back(everything=True)
        self.finished()
        LoginAddress.objects.remember(self.name, self.address, now=timezone.now())


def attempt(request: HttpRequest, username: str) -> Attempt:
    """Charge a login; raise LoginRefusedError if it may not be tried. Call before verifying."""
    address = addresses.client_address(request)
    prefix, name = addresses.prefix(address), name_digest(username)
    known_as = [name, *earlier_name_digests(username)]
    charges = _charges(name, prefix, known_as) if conf.enabled() else []
    caller = Caller(address=address, name=name)
    result, flight = logins_in_flight.decide(
        charges, lambda quietly: limits.decide(charges, caller, quietly=quietly)
    )
    request.throttle = result  # type: ignore[attr-defined]  # read by the middleware
    if not result.allowed:
        raise LoginRefusedError(result)
    granted = Attempt(name, prefix, result, flight)
    request.login_attempt = granted  # type: ignore[attr-defined]  # read by the signal receivers
    return granted


def charge(request: HttpRequest, subject: str) -> None:
    """Charge an action that is limited like a login but never refunded (a password reset).

    ``subject`` is counted like a user name, in other buckets than the logins. The address
    is counted together with them. Raises LoginRefusedError.
    """
    address = addresses.client_address(request)
    name = name_digest(f"not a login: {subject}")
    charges = _charges(name, addresses.prefix(address), [name]) if conf.enabled() else []
    result = limits.decide(charges, Caller(address=address))
    request.throttle = result  # type: ignore[attr-defined]  # read by the middleware
    if not result.allowed:
        raise LoginRefusedError(result)


def _charges(name: str, address: str, known_as: Sequence[str]) -> list[Charge]:
    now = timezone.now()
    known = any(LoginAddress.objects.knows(one, address, now=now) for one in known_as)
    identities = {By.ADDRESS: address, By.NAME_AND_ADDRESS: f"{name}@{address}", By.NAME: name}
    every = policies.by_name()
    counted = [every[policy] for policy in POLICIES if policy in every]
    return [
        Charge(policy, identities[By(policy.by)], policy.rate)
        for policy in counted
        if not (known and policy.by == By.NAME)
    ]


def note_success(request: HttpRequest | None, **_kwargs: Any) -> None:
    """Receive ``user_logged_in``, which Django's own login views send."""
    granted: Attempt | None = getattr(request, "login_attempt", None)
    if granted is not None:
        granted.succeeded()


def note_failure(request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """Receive ``user_login_failed``: other logins need not wait for this one any more."""
    tried: Attempt | None = getattr(request, "login_attempt", None)
    if tried is not None:
        tried.verified = True
        tried.finished()


def prune(now: datetime, dry_run: bool = False) -> int:
    """Delete addresses without a login for ``KNOWN_ADDRESS_DAYS`` and return how many."""
    old = LoginAddress.objects.forgotten(now)
    return old.count() if dry_run else old.delete()[0]


View = Callable[..., HttpResponseBase]


def guarded(view: View) -> View:
    """Wrap a login page (``LoginView.as_view()``, ``admin.site.login``) with the login limits.

    path("admin/login/", guarded(admin.site.login)),
    path("admin/", admin.site.urls),
    """

    @wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            refused = _refusal(request)
            if refused is not None:
                return refused
        try:
            return view(request, *args, **kwargs)
        finally:
            _end(request)

    return guard


def _end(request: HttpRequest) -> None:
    """End the attempt of a login page. A form with a blank field costs nothing: it guesses nothing.

    The charge came first, and a view that verifies a blank password keeps it.
    """
    tried: Attempt | None = getattr(request, "login_attempt", None)
    if tried is None:
        return
    if request.POST.get("username", "").strip() and request.POST.get("password"):
        tried.finished()
    else:
        tried.withdraw()


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if login_flood_guard.is_flooding(request):
        return refusal_page(request, wait=login_flood_guard.RETRY_AFTER)
    try:
        attempt(request, request.POST.get("username", ""))
    except LoginRefusedError as refused:
        return refusal_page(request, wait=refused.result.retry_after, result=refused.result)
    return None


def refusal_page(
    request: HttpRequest, *, wait: int, result: ThrottleResult | None = None
) -> HttpResponse:
    """Return the 429 page for people."""
    response = render(
        request, "throttling/refused.html", {"seconds": wait, "minutes": -(-wait // 60)}
    )
    response.status_code = 429
    response["Retry-After"] = str(wait)
    response["Cache-Control"] = "no-store"
    for field, value in responses.fields(result).items() if result else ():
        response[field] = value
    return response
