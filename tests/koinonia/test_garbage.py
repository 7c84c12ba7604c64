"""The collector of reference cycles in the processes that run for weeks."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from delivery.signals import drains_begin
from koinonia import garbage


@pytest.fixture(autouse=True)
def usual_collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_a_worker_collects_rarely_from_its_first_drain_on() -> None:
    gc.set_threshold(700, 10, 10)
    drains_begin.send_robust(sender=None)
    assert gc.get_threshold() == garbage.THRESHOLDS
    assert gc.get_freeze_count() > 0


def test_a_worker_still_collects() -> None:
    garbage.collect_rarely()
    assert gc.isenabled()
