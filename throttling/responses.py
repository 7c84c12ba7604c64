"""The header fields and the problem bodies by which a client learns its limits.

``RateLimit`` and ``RateLimit-Policy`` are Lists of RFC 9651 as in
draft-ietf-httpapi-ratelimit-headers-11 (May 2026; not an RFC yet). GitHub and others send the
``X-RateLimit-*`` fields; ours describe the policy with the least remaining share. Bodies are problem
details of RFC 9457, with the types of the draft.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from django.http import JsonResponse

from throttling.charges import PolicyOutcome, ThrottleResult

_TYPES = "https://iana.org/assignments/http-problem-types#"
MEDIA_TYPE = "application/problem+json"

Problem = TypedDict(
    "Problem",
    {"type": str, "title": str, "status": int, "detail": str, "violated-policies": Sequence[str]},
)


def fields(result: ThrottleResult) -> dict[str, str]:
    """Return the header fields of an answer; none if nothing was counted."""
    found: dict[str, str] = {}
    if not result.allowed:
        found["Retry-After"] = str(result.retry_after)
    shown = result.by_tightness
    if shown:
        # A window must not end after Retry-After (section 4 of the draft).
        last = None if result.allowed else result.retry_after
        found["RateLimit-Policy"] = ",".join(_policy(outcome) for outcome in shown)
        found["RateLimit"] = ",".join(_limit(outcome, last) for outcome in shown)
        found |= _x_fields(shown[0], result.at_ms)
    return found


def _policy(outcome: PolicyOutcome) -> str:
    rate = outcome.charge.rate
    return f'"{outcome.charge.policy.name}";q={rate.count};w={max(1, rate.period_seconds)}'


def _limit(outcome: PolicyOutcome, last: int | None) -> str:
    window = outcome.effective_window if last is None else min(last, outcome.effective_window)
    return f'"{outcome.charge.policy.name}";r={outcome.state.remaining};t={window}'


def _x_fields(tightest: PolicyOutcome, at_ms: int) -> dict[str, str]:
    full_at_ms = at_ms + tightest.state.full_ms
    return {
        "X-RateLimit-Limit": str(tightest.charge.rate.burst),
        "X-RateLimit-Remaining": str(tightest.state.remaining),
        "X-RateLimit-Reset": str(-(-full_at_ms // 1000)),
    }


def problem(result: ThrottleResult) -> Problem:
    """Return the body of a refusal: 429, or 503 if nothing can count."""
    wait = result.retry_after
    again = f"Try again in {wait} second{'' if wait == 1 else 's'}."
    if result.unavailable:
        return {
            "type": f"{_TYPES}temporary-reduced-capacity",
            "title": "Request cannot be satisfied due to temporary server capacity constraints",
            "status": 503,
            "detail": f"The limits cannot be checked at the moment. {again}",
            "violated-policies": [policy.name for policy in result.unavailable],
        }
    names = [outcome.charge.policy.name for outcome in result.refusing]
    return {
        "type": f"{_TYPES}quota-exceeded",
        "title": "Request cannot be satisfied as assigned quota has been exceeded",
        "status": 429,
        "detail": f"Too many requests ({', '.join(names)}). {again}",
        "violated-policies": names,
    }


def refusal(result: ThrottleResult) -> JsonResponse:
    """Return the whole answer to a refused request, for views without DRF."""
    body = problem(result)
    return JsonResponse(
        body,
        status=body["status"],
        content_type=MEDIA_TYPE,
        headers={**fields(result), "Cache-Control": "no-store"},
    )
