"""Throttling for Django REST framework.

    REST_FRAMEWORK = {
        "DEFAULT_THROTTLE_CLASSES": ["throttling.drf.PolicyThrottle"],
        "EXCEPTION_HANDLER": "throttling.drf.exception_handler",
    }

A view says what it is charged besides the policies of every request, and for what cost:

    class Messages(APIView):
        throttle_policies = {"POST": ["messages"]}

        def get_throttle_costs(self, request):       # 1 for what is not named
            return {"messages": len(request.data["to"])}

A view that used less than it was charged says so: ``spent(request, {"messages": 3})``; the rest
goes back when the answer is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from throttling import addresses, conf, limits, policies, problems, tokens
from throttling.allowlist import Caller
from throttling.buckets import CostAboveBurstError
from throttling.middleware import verdict_of
from throttling.policies import By, Policy
from throttling.verdict import Charge, Verdict

if TYPE_CHECKING:
    from rest_framework.views import APIView


class LimitExceeded(exceptions.Throttled):
    """429 with all that the limits say (``verdict``); 503 where nobody can count."""

    def __init__(self, verdict: Verdict) -> None:
        problem = problems.body(verdict)
        super().__init__(detail=problem["detail"])
        self.verdict = verdict
        self.wait = verdict.retry_after
        self.status_code = problem["status"]


class CostAboveBurst(exceptions.APIException):
    """400: what is asked at once is more than any wait makes possible."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "cost_above_burst"

    def __init__(self, error: CostAboveBurstError) -> None:
        bucket = error.bucket
        policy = bucket.key.partition(":")[0]
        super().__init__(
            f"This costs {bucket.cost} of the limit {policy!r}, which allows at most "
            f"{bucket.rate.burst} at once."
        )


class PolicyThrottle(BaseThrottle):
    """Decides all policies of the request together; the decision rides on ``request.throttle``."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        verdict = judge(request, view)
        if not verdict.allowed:
            raise LimitExceeded(verdict)
        return True


def judge(request: Request, view: APIView) -> Verdict:
    """Charge the request by whom it comes from; raises CostAboveBurst."""
    names = [*_policies_of_all(request), *_policies_of(view, request)]
    return _decide(request, view, names, _costs(view, request))


def judged(exc: Exception, context: Mapping[str, Any]) -> Exception:
    """What to answer for ``exc``: call it first in an exception handler.

    DRF authenticates and asks for permission before it throttles. So a bad credential is charged
    here, to its address, and answered 429 where that has no more; other refusals of a request that
    nobody judged yet (404, 403) are charged to the user, and stay what they are.
    """
    request = context.get("request")
    view = context.get("view")
    if request is None or view is None or not _limited(view) or not _refusal(exc):
        return exc
    if verdict_of(request._request) is not None:
        return exc
    try:
        verdict = _decide(request, view, _policies_of_all(request), {})
        stranger = not _authenticated(request)
    except BAD_CREDENTIAL as error:
        exc = error
        verdict = _decide(request, view, conf.anonymous_policies(), {})
        stranger = True
    return LimitExceeded(verdict) if stranger and not verdict.allowed else exc


def spent(request: Request, costs: Mapping[str, int]) -> None:
    """Note what was used of each policy's cost, where that is less than ``get_throttle_costs``."""
    verdict = verdict_of(request._request)
    if verdict is not None:
        verdict.spent = costs


BAD_CREDENTIAL = (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)


def _policies_of_all(request: Request) -> Sequence[str]:
    return conf.authenticated_policies() if _authenticated(request) else conf.anonymous_policies()


def _authenticated(request: Request) -> bool:
    # DRF's UNAUTHENTICATED_USER may be None.
    return bool(getattr(request.user, "is_authenticated", False))


def _limited(view: APIView) -> bool:
    return any(issubclass(throttle, PolicyThrottle) for throttle in view.throttle_classes)


def _refusal(exc: Exception) -> bool:
    return isinstance(exc, exceptions.APIException | Http404 | PermissionDenied)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's, with our refusals as problem details."""
    exc = judged(exc, context)
    # Not above: DRF imports its default throttles while it makes the views.
    from rest_framework.views import exception_handler as drf_exception_handler

    response = drf_exception_handler(exc, context)
    if isinstance(exc, LimitExceeded) and response is not None:
        response.data = problems.body(exc.verdict)
        response.content_type = problems.MEDIA_TYPE
        response["Cache-Control"] = "no-store"
    return response


def _decide(
    request: Request, view: APIView, names: Sequence[str], costs: Mapping[str, int]
) -> Verdict:
    try:
        verdict = limits.decide(_charges(request, view, names, costs), caller_of(request))
    except CostAboveBurstError as error:
        raise CostAboveBurst(error) from error
    request._request.throttle = verdict  # type: ignore[attr-defined]  # how the middleware is told
    return verdict


def _charges(
    request: Request, view: APIView, names: Sequence[str], costs: Mapping[str, int]
) -> list[Charge]:
    plan_of = conf.plan_of()
    plan = plan_of(request) if plan_of else None
    found = []
    for name in dict.fromkeys(names):
        policy = policies.get(name)
        identity = _identity(policy, request, view)
        if identity is not None:
            found.append(Charge(policy, identity, policy.rate_for(plan), costs.get(name, 1)))
    return found


def _policies_of(view: APIView, request: Request) -> Sequence[str]:
    declared: Mapping[str, Sequence[str]] | Sequence[str] = getattr(view, "throttle_policies", ())
    if isinstance(declared, Mapping):
        return declared.get(request.method or "", ())
    return declared


def _costs(view: APIView, request: Request) -> Mapping[str, int]:
    """What each policy is charged where that is not 1."""
    ask = getattr(view, "get_throttle_costs", None)
    return ask(request) if ask else {}


def _identity(policy: Policy, request: Request, view: APIView) -> str | None:
    """Whom the policy counts in this request; None: it does not apply."""
    match policy.by:
        case By.USER:
            return _user_key(request)
        case By.ADDRESS:
            return addresses.prefix_of(request._request)
        case By.NAME | By.NAME_AND_ADDRESS:
            return None
    argument = view.kwargs.get(policy.by.removeprefix("url:"))
    return None if argument is None else str(argument)


def _user_key(request: Request) -> str | None:
    return str(request.user.pk) if _authenticated(request) else None


def caller_of(request: Request) -> Caller:
    """Who asks, for the allowlist."""
    http: HttpRequest = request._request
    return Caller(
        address=addresses.client_address(http),
        user=_user_key(request),
        token=tokens.token_of(request),
    )
