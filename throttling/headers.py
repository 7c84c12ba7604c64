"""What a client is told of its limits.

``RateLimit`` and ``RateLimit-Policy`` are Lists of RFC 9651 as in
draft-ietf-httpapi-ratelimit-headers-11 (May 2026; not an RFC yet); the ``X-RateLimit-*`` fields are
what GitHub and others send, and speak of the policy with the least remaining share.
"""

from __future__ import annotations

from throttling.verdict import Judged, Verdict


def fields(verdict: Verdict) -> dict[str, str]:
    """The header fields of an answer, after the decision; none where nothing was counted."""
    found: dict[str, str] = {}
    if not verdict.allowed:
        found["Retry-After"] = str(verdict.retry_after)
    told = verdict.by_tightness
    if told:
        # No window may end after Retry-After (section 4 of the draft).
        last = None if verdict.allowed else verdict.retry_after
        found["RateLimit-Policy"] = ",".join(_policy(judged) for judged in told)
        found["RateLimit"] = ",".join(_limit(judged, last) for judged in told)
        found |= _legacy(told[0], verdict.at_ms)
    return found


def _policy(judged: Judged) -> str:
    rate = judged.charge.rate
    return f'"{judged.charge.policy.name}";q={rate.count};w={max(1, rate.period_seconds)}'


def _limit(judged: Judged, last: int | None) -> str:
    window = judged.effective_window if last is None else min(last, judged.effective_window)
    return f'"{judged.charge.policy.name}";r={judged.state.remaining};t={window}'


def _legacy(tightest: Judged, at_ms: int) -> dict[str, str]:
    full_at_ms = at_ms + tightest.state.full_ms
    return {
        "X-RateLimit-Limit": str(tightest.charge.rate.burst),
        "X-RateLimit-Remaining": str(tightest.state.remaining),
        "X-RateLimit-Reset": str(-(-full_at_ms // 1000)),
    }
