"""An independent library parses the header fields as structured fields (RFC 9651)."""

from __future__ import annotations

from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from throttling import responses
from throttling.buckets import BucketState, BucketStore, Rate, parse
from throttling.charges import Charge, PolicyOutcome, ThrottleResult
from throttling.policies import Policy

names = st.sampled_from(["api", "messages", "conditional", "login_ip"])
rates = st.builds(
    Rate, st.integers(1, 100_000), st.sampled_from([1_000, 60_000, 900_000]), st.integers(1, 10_000)
)


@st.composite
def outcomes(draw: st.DrawFn) -> PolicyOutcome:
    rate = draw(rates)
    short = draw(st.booleans())
    remaining = draw(st.integers(0, rate.burst))
    needed = short or remaining == 0
    wait = draw(st.integers(1, 10_000_000)) if needed else 0
    policy = Policy(draw(names), rate, "user")
    state = BucketState(short, remaining, wait, draw(st.integers(0, 10_000_000)))
    return PolicyOutcome(Charge(policy, "x", rate), state)


def _parsed(field: str) -> list[tuple[str, dict[str, Any]]]:
    parsed: Any = http_sf.parse(field.encode(), tltype="list")
    return list(parsed)


@given(st.lists(outcomes(), min_size=1, max_size=4))
def test_the_fields_are_lists_of_strings_with_integer_parameters(
    all_outcomes: list[PolicyOutcome],
) -> None:
    found = responses.fields(ThrottleResult(all_outcomes, 1_790_000_000_000))
    limits, policies = _parsed(found["RateLimit"]), _parsed(found["RateLimit-Policy"])
    assert [name for name, _ in limits] == [name for name, _ in policies]
    for _, parameters in limits:
        assert parameters.keys() == {"r", "t"}
        assert parameters["r"] >= 0
        assert parameters["t"] >= 1
    for _, parameters in policies:
        assert parameters.keys() == {"q", "w"}
        assert min(parameters.values()) >= 1


@given(st.lists(outcomes(), min_size=1, max_size=4))
def test_no_window_ends_after_retry_after(all_outcomes: list[PolicyOutcome]) -> None:
    found = responses.fields(ThrottleResult(all_outcomes, 1_790_000_000_000))
    if "Retry-After" in found:
        assert all(p["t"] <= int(found["Retry-After"]) for _, p in _parsed(found["RateLimit"]))


@pytest.mark.parametrize("rate", ["100/m", "1000/m:200", "5/15m", "7/s:3", "10/h"])
def test_a_client_that_paces_itself_by_the_fields_is_never_refused(
    store: BucketStore, rate: str
) -> None:
    limit = parse(rate)
    charge = Charge(Policy("p", limit, "user"), "x", limit)
    now = 1_790_000_000_000
    for _ in range(3 * limit.burst):
        decision = store.take([charge.bucket], now=now)
        assert decision.allowed
        outcome = PolicyOutcome(charge, decision.states[0])
        now += outcome.effective_window * 1000 // max(1, outcome.state.remaining)


def test_the_tightest_policy_comes_first_and_fills_the_x_ratelimit_fields() -> None:
    roomy, tight = parse("1000/m"), parse("10/h:20")
    result = ThrottleResult(
        [
            PolicyOutcome(
                Charge(Policy("roomy", roomy, "user"), "x", roomy), BucketState(False, 900, 0, 6)
            ),
            PolicyOutcome(
                Charge(Policy("tight", tight, "user"), "x", tight), BucketState(False, 2, 0, 50)
            ),
        ],
        1_790_000_000_000,
    )
    found = responses.fields(result)
    assert found["RateLimit"] == '"tight";r=2;t=720,"roomy";r=900;t=54'
    assert found["X-RateLimit-Limit"] == "20"
    assert found["X-RateLimit-Remaining"] == "2"
    assert found["X-RateLimit-Reset"] == "1790000001"


def test_an_uncounted_request_gets_no_fields() -> None:
    assert responses.fields(ThrottleResult()) == {}
