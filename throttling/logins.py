"""Guards logins: charged before the password is looked at, given back when it was right.

    with logins.attempt(request, username) as attempt:  # raises LoginRefusedError
        user = authenticate(request, ...)
        if user is not None:
            attempt.succeeded()

A burst of good logins refuses none of them: one that finds a bucket short waits for those whose
password is being looked at, and is judged after them (``in_flight``). Counted are the address, the user name from this address, and the user name over all addresses from
which nobody logged in with it lately; so nobody can be kept out from an address they used before.
A user name that does not exist is counted as one that does, at the same price.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Self

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from throttling import addresses, coarse, conf, headers, in_flight, limits, policies, problems
from throttling.allowlist import Caller
from throttling.identities import name_digest
from throttling.models import LoginAddress
from throttling.policies import By
from throttling.verdict import Charge, Verdict

POLICIES = ("login_ip", "login_user", "login_name")


class LoginRefusedError(Exception):
    """Too many attempts; ``verdict`` says which limits, and for how long."""

    retryable = True

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(problems.body(verdict)["detail"])
        self.verdict = verdict


@dataclass
class Attempt:
    """One login that may be tried."""

    name: str
    """Digest of the user name."""
    address: str
    verdict: Verdict
    flight: in_flight.Flight
    done: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.finished()

    def finished(self) -> None:
        """End the look at the password; without ``succeeded`` it was wrong, and the charge stays.

        Django's ``authenticate(request, …)`` says so by itself where it finds nobody.
        """
        self.flight.end()

    def succeeded(self) -> None:
        """The password was right: it costs nothing, and the address is known from now on."""
        if self.done or not conf.enabled():
            return
        self.done = True
        self.verdict.give_back(everything=True)
        self.finished()
        LoginAddress.objects.remember(self.name, self.address, now=timezone.now())


def attempt(request: HttpRequest, username: str) -> Attempt:
    """Charge an attempt to log in; raises LoginRefusedError. Call it before anything is verified."""
    address = addresses.client_address(request)
    prefix, name = addresses.prefix(address), name_digest(username)
    charges = _charges(name, prefix) if conf.enabled() else []
    caller = Caller(address=address, name=name)
    verdict, flight = in_flight.judge(
        charges, lambda quietly: limits.decide(charges, caller, quietly=quietly)
    )
    request.throttle = verdict  # type: ignore[attr-defined]  # how the middleware is told
    if not verdict.allowed:
        raise LoginRefusedError(verdict)
    granted = Attempt(name, prefix, verdict, flight)
    request.login_attempt = granted  # type: ignore[attr-defined]  # for user_logged_in
    return granted


def charge(request: HttpRequest, subject: str) -> None:
    """Charge what is limited as a login is, and never given back (a password reset by mail).

    ``subject`` is counted as a user name is, apart from the logins; the address together with them.
    Raises LoginRefusedError.
    """
    address = addresses.client_address(request)
    name = name_digest(f"not a login: {subject}")
    charges = _charges(name, addresses.prefix(address)) if conf.enabled() else []
    verdict = limits.decide(charges, Caller(address=address))
    request.throttle = verdict  # type: ignore[attr-defined]  # how the middleware is told
    if not verdict.allowed:
        raise LoginRefusedError(verdict)


def _charges(name: str, address: str) -> list[Charge]:
    known = LoginAddress.objects.knows(name, address, now=timezone.now())
    identities = {By.ADDRESS: address, By.NAME_AND_ADDRESS: f"{name}@{address}", By.NAME: name}
    counted = [policies.get(policy) for policy in POLICIES if policy in policies.every()]
    return [
        Charge(policy, identities[By(policy.by)], policy.rate)
        for policy in counted
        if not (known and policy.by == By.NAME)
    ]


def note_login(request: HttpRequest | None, **_kwargs: Any) -> None:
    """A receiver of ``user_logged_in``: Django's own login views say so by this."""
    granted: Attempt | None = getattr(request, "login_attempt", None)
    if granted is not None:
        granted.succeeded()


def note_failure(request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """Receive ``user_login_failed``: nobody has to wait for this login any more."""
    tried: Attempt | None = getattr(request, "login_attempt", None)
    if tried is not None:
        tried.finished()


View = Callable[..., HttpResponseBase]


def guarded(view: View) -> View:
    """Guard a login page (``LoginView.as_view()``, ``admin.site.login``).

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
            note_failure(request)

    return guard


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if coarse.exceeded(request):
        return page(request, wait=coarse.RETRY_AFTER)
    try:
        attempt(request, request.POST.get("username", ""))
    except LoginRefusedError as refused:
        return page(request, wait=refused.verdict.retry_after, verdict=refused.verdict)
    return None


def page(request: HttpRequest, *, wait: int, verdict: Verdict | None = None) -> HttpResponse:
    """429 for people."""
    response = render(
        request, "throttling/refused.html", {"seconds": wait, "minutes": -(-wait // 60)}
    )
    response.status_code = 429
    response["Retry-After"] = str(wait)
    response["Cache-Control"] = "no-store"
    for field, value in headers.fields(verdict).items() if verdict else ():
        response[field] = value
    return response
