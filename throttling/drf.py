"""Throttling for Django REST framework.

    REST_FRAMEWORK = {
        "DEFAULT_THROTTLE_CLASSES": ["throttling.drf.PolicyThrottle"],
        "EXCEPTION_HANDLER": "throttling.drf.exception_handler",
    }

A view names further policies and their costs, beside the policies of every request:

    class Messages(APIView):
        throttle_policies = {"POST": ["messages"]}

        def get_throttle_costs(self, request):       # the cost is 1 for other policies
            return {"messages": len(request.data["to"])}

A view that used less than it was charged calls ``spent(request, {"messages": 3})``; the middleware
refunds the difference.
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

from throttling import addresses, conf, limits, policies, responses
from throttling.allowlist import Caller
from throttling.buckets import CostAboveBurstError
from throttling.charges import Charge, ThrottleResult
from throttling.middleware import result_of
from throttling.policies import By, Policy

if TYPE_CHECKING:
    from rest_framework.views import APIView


class LimitExceeded(exceptions.Throttled):
    """429 with the ``result`` of all limits, or 503 if nothing can count."""

    def __init__(self, result: ThrottleResult) -> None:
        problem = responses.problem(result)
        super().__init__(detail=problem["detail"])
        self.result = result
        self.wait = result.retry_after
        self.status_code = problem["status"]


class CostAboveBurst(exceptions.APIException):
    """400: one request asks for more than a full bucket holds."""

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
    """Decides all policies of a request together and stores the result as ``request.throttle``."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        result = charge(request, view)
        if not result.allowed:
            raise LimitExceeded(result)
        return True


def charge(request: Request, view: APIView) -> ThrottleResult:
    """Charge the policies of every request and of the view; raise CostAboveBurst."""
    names = [*_policies_of_every_request(request), *_policies_of_view(view, request)]
    return _decide(request, view, names, _costs(view, request))


def charge_failed_request(exc: Exception, context: Mapping[str, Any]) -> Exception:
    """Charge a request that failed before its throttles, and return the exception to answer.

    Call this first in an exception handler. DRF authenticates and checks permissions before it
    throttles. A bad credential is therefore charged here, to its address, and becomes a 429 if the
    address has no tokens left. Other early refusals (403, 404) are charged to the user and stay.
    """
    request = context.get("request")
    view = context.get("view")
    if request is None or view is None or not _is_limited(view) or not _is_refusal(exc):
        return exc
    if result_of(request._request) is not None:
        return exc
    try:
        result = _decide(request, view, _policies_of_every_request(request), {})
        anonymous = not _is_authenticated(request)
    except BAD_CREDENTIAL as error:
        exc = error
        result = _decide(request, view, conf.anonymous_policies(), {})
        anonymous = True
    return LimitExceeded(result) if anonymous and not result.allowed else exc


def spent(request: Request, costs: Mapping[str, int]) -> None:
    """Record the actual cost by policy, where it is less than ``get_throttle_costs`` returned."""
    result = result_of(request._request)
    if result is not None:
        result.spent = costs


BAD_CREDENTIAL = (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)


def _policies_of_every_request(request: Request) -> Sequence[str]:
    return (
        conf.authenticated_policies() if _is_authenticated(request) else conf.anonymous_policies()
    )


def _is_authenticated(request: Request) -> bool:
    # DRF's UNAUTHENTICATED_USER may be None.
    return bool(getattr(request.user, "is_authenticated", False))


def _is_limited(view: APIView) -> bool:
    return any(issubclass(throttle, PolicyThrottle) for throttle in view.throttle_classes)


def _is_refusal(exc: Exception) -> bool:
    return isinstance(exc, exceptions.APIException | Http404 | PermissionDenied)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer like DRF's handler, but with refusals as problem details."""
    exc = charge_failed_request(exc, context)
    # Imported here: DRF imports its default throttles while it imports the views.
    from rest_framework.views import exception_handler as drf_exception_handler

    response = drf_exception_handler(exc, context)
    if isinstance(exc, LimitExceeded) and response is not None:
        response.data = responses.problem(exc.result)
        response.content_type = responses.MEDIA_TYPE
        response["Cache-Control"] = "no-store"
    return response


def _decide(
    request: Request, view: APIView, names: Sequence[str], costs: Mapping[str, int]
) -> ThrottleResult:
    try:
        result = limits.decide(_charges(request, view, names, costs), caller_of(request))
    except CostAboveBurstError as error:
        raise CostAboveBurst(error) from error
    request._request.throttle = result  # type: ignore[attr-defined]  # read by the middleware
    return result


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


def _policies_of_view(view: APIView, request: Request) -> Sequence[str]:
    declared: Mapping[str, Sequence[str]] | Sequence[str] = getattr(view, "throttle_policies", ())
    if isinstance(declared, Mapping):
        return declared.get(request.method or "", ())
    return declared


def _costs(view: APIView, request: Request) -> Mapping[str, int]:
    """Return the cost by policy where it is not 1."""
    ask = getattr(view, "get_throttle_costs", None)
    return ask(request) if ask else {}


def _identity(policy: Policy, request: Request, view: APIView) -> str | None:
    """Return the identity that the policy counts, or None if the policy does not apply."""
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
    return str(request.user.pk) if _is_authenticated(request) else None


def caller_of(request: Request) -> Caller:
    """Return the sender of the request, for the allowlist."""
    http: HttpRequest = request._request
    return Caller(
        address=addresses.client_address(http),
        user=_user_key(request),
        token=_token_of(request),
    )


def _token_of(request: Request) -> str | None:
    """Return what THROTTLING["TOKEN_OF"] returns, by default the prefix under which knox lists a token."""
    token_of = conf.token_of()
    if token_of is not None:
        return token_of(request)
    key = getattr(getattr(request, "auth", None), "token_key", None)
    return key if isinstance(key, str) else None
