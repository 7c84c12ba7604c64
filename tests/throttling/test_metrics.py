from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from tests.throttling.conftest import set_policies
from throttling import limits, policies
from throttling.allowlist import Caller
from throttling.outage import FAILURES
from throttling.verdict import Charge

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


def test_failed_is_counted() -> None:
    before = _counted("failed")
    for _ in range(FAILURES):
        limits.outage.failed()
    limits.charge("anon", "x")
    assert _counted("failed") == before + 1
