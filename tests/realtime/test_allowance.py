"""The bucket of one socket's frames."""

from __future__ import annotations

from pytest_django import Settings

from realtime.allowance import Allowance


def test_after_the_burst_a_socket_may_go_on_at_its_rate(settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "FRAMES_PER_SECOND": 2, "FRAMES_BURST": 3}
    allowance = Allowance(10.0)
    assert [allowance.take(10.0) for _ in range(5)] == [True, True, True, False, False]
    assert [allowance.take(10.5), allowance.take(10.6)] == [True, False]
    # However long it was silent, it gets no more than the burst.
    assert [allowance.take(1000.0) for _ in range(5)] == [True, True, True, False, False]
