"""The bodies of refusals: RFC 9457 problem details, with the types of the RateLimit draft."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from django.http import JsonResponse

from throttling import headers
from throttling.verdict import Verdict

_TYPES = "https://iana.org/assignments/http-problem-types#"
MEDIA_TYPE = "application/problem+json"

Problem = TypedDict(
    "Problem",
    {"type": str, "title": str, "status": int, "detail": str, "violated-policies": Sequence[str]},
)


def body(verdict: Verdict) -> Problem:
    """The problem of a refusing verdict: 429, or 503 where nobody can count."""
    wait = verdict.retry_after
    again = f"Try again in {wait} second{'' if wait == 1 else 's'}."
    if verdict.unavailable:
        return {
            "type": f"{_TYPES}temporary-reduced-capacity",
            "title": "Request cannot be satisfied due to temporary server capacity constraints",
            "status": 503,
            "detail": f"The limits cannot be checked at the moment. {again}",
            "violated-policies": [policy.name for policy in verdict.unavailable],
        }
    names = [judged.charge.policy.name for judged in verdict.refusing]
    return {
        "type": f"{_TYPES}quota-exceeded",
        "title": "Request cannot be satisfied as assigned quota has been exceeded",
        "status": 429,
        "detail": f"Too many requests ({', '.join(names)}). {again}",
        "violated-policies": names,
    }


def response(verdict: Verdict) -> JsonResponse:
    """The whole answer, for views without DRF."""
    problem = body(verdict)
    return JsonResponse(
        problem,
        status=problem["status"],
        content_type=MEDIA_TYPE,
        headers={**headers.fields(verdict), "Cache-Control": "no-store"},
    )
