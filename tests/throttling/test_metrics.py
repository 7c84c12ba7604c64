from __future__ import annotations

import pytest
from django.test import RequestFactory
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from tests.throttling.conftest import set_policies
from throttling import limits, login_flood_guard, policies
from throttling.allowlist import Caller
from throttling.charges import Charge
from throttling.shared_buckets import FAILURES

pytestmark = pytest.mark.django_db


def _counted(outcome: str) -> float:
    sample = REGISTRY.get_sample_value(
        "throttling_decisions_total", {"policy": "anon", "outcome": outcome}
    )
    return sample or 0.0


def test_allowed_and_refused_are_counted(settings: Settings) -> None:
    set_policies(settings, anon="60/d")
    before = _counted("allowed"), _counted("refused")
    for _ in range(3):
        limits.charge("anon", "x", cost=60)
    assert (_counted("allowed"), _counted("refused")) == (before[0] + 1, before[1] + 2)


def test_shadowed_is_counted() -> None:
    from dataclasses import replace

    before = _counted("shadowed")
    shadow = replace(policies.get("anon"), shadow=True)
    for _ in range(3):
        assert limits.decide([Charge(shadow, "x", shadow.rate, 60)], Caller()).allowed
    assert _counted("shadowed") == before + 2


def _unanswered(call: str) -> float:
    sample = REGISTRY.get_sample_value("throttling_redis_failures_total", {"call": call})
    return sample or 0.0


@pytest.fixture
def away(settings: Settings) -> None:
    """Point the caches to a Redis that does not answer."""
    for alias in ("throttling", "ratelimit"):
        nowhere = {**settings.CACHES[alias], "LOCATION": "unix:///nowhere?db=2"}
        settings.CACHES = {**settings.CACHES, alias: nowhere}


@pytest.mark.usefixtures("away")
def test_a_single_call_without_an_answer_is_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = _unanswered("take"), _counted("failed")
    assert limits.charge("anon", "x").allowed
    assert (_unanswered("take"), _counted("failed")) == (before[0] + 1, before[1] + 1)
    assert [record.__dict__["action"] for record in caplog.records] == ["throttling_unanswered"]


@pytest.mark.usefixtures("away")
def test_an_outage_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(FAILURES + 3):
        limits.charge("anon", "x")
    actions = [record.__dict__["action"] for record in caplog.records]
    assert actions == ["throttling_unanswered"] * (FAILURES - 1) + ["throttling_failed"]


def test_a_refund_that_fails_is_counted(settings: Settings, request: pytest.FixtureRequest) -> None:
    result = limits.charge("anon", "x")
    request.getfixturevalue("away")
    before = _unanswered("give")
    result.give_back()
    assert _unanswered("give") == before + 1


@pytest.mark.usefixtures("away")
def test_a_flood_guard_that_cannot_count_allows_the_request_and_is_counted() -> None:
    before = _unanswered("login_guard")
    assert not login_flood_guard.is_flooding(RequestFactory().post("/login/"))
    assert _unanswered("login_guard") == before + 1


def test_failed_is_counted() -> None:
    before = _counted("failed")
    for _ in range(FAILURES):
        limits.outage.note_failure()
    limits.charge("anon", "x")
    assert _counted("failed") == before + 1
