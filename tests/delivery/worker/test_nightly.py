"""One worker of many does the work of the night, once, and a missed night is made up for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery import nightly
from delivery.models import NightlyRun
from delivery.worker.night import AGAIN, FIRST_LOOK, Night

pytestmark = pytest.mark.django_db

WORK = f"{__name__}.work"
done: list[bool] = []


def work(stopped: Callable[[], bool]) -> None:
    done.append(stopped())


@pytest.fixture(autouse=True)
def host(settings: Any) -> None:
    done.clear()
    settings.DELIVERY = settings.DELIVERY | {
        "NIGHTLY": WORK, "NIGHTLY_HOUR": 3, "NIGHTLY_ZONE": "America/Chicago",
    }  # fmt: skip


def done_last(ago: timedelta) -> NightlyRun:
    return NightlyRun.objects.create(name="nightly", done_at=timezone.now() - ago)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_hour_is_that_of_the_zone() -> None:
    begin = nightly.last_begin(at("2026-11-30 08:59"))
    assert begin == at("2026-11-29 09:00")
    assert nightly.last_begin(at("2026-11-30 09:00")) == at("2026-11-30 09:00")
    assert nightly.next_begin(at("2026-11-30 09:00")) == at("2026-12-01 09:00")


def test_no_work_is_done_at_the_hour_none(settings: Any) -> None:
    settings.DELIVERY = settings.DELIVERY | {"NIGHTLY_HOUR": None}
    done_last(timedelta(days=3))
    assert nightly.run(lambda: False) == 0
    assert done == []


def test_a_missed_night_is_made_up_for_once() -> None:
    done_last(timedelta(days=3))
    assert [nightly.run(lambda: False) for _ in range(2)] == [0, 0]
    assert done == [False]


def test_a_new_installation_waits_for_its_first_night() -> None:
    assert nightly.run(lambda: False) == 0
    assert done == []


def test_only_one_worker_takes_the_lease() -> None:
    done_last(timedelta(days=3))
    now = timezone.now()
    assert nightly.take(now) is not None
    assert nightly.take(now) is None
    assert nightly.run(lambda: False) == nightly.EXIT_BUSY
    assert nightly.take(now + timedelta(minutes=16)) is not None


def test_a_worker_that_lost_its_lease_stops() -> None:
    done_last(timedelta(days=3))
    now = timezone.now()
    lease = nightly.take(now)
    assert lease is not None
    later = now + timedelta(minutes=16)
    assert nightly.take(later) is not None
    assert not lease.holds(later)
    lease.end(done_at=now)
    assert NightlyRun.objects.get().done_at < now


def test_a_worker_keeps_its_lease_while_it_works() -> None:
    done_last(timedelta(days=3))
    now = timezone.now()
    lease = nightly.take(now)
    assert lease is not None
    assert lease.holds(now + timedelta(minutes=10))
    assert nightly.take(now + timedelta(minutes=16)) is None


def test_a_stopped_night_begins_again_later() -> None:
    done_last(timedelta(days=3))
    assert nightly.run(lambda: True) == nightly.EXIT_BUSY
    assert nightly.run(lambda: False) == 0
    assert done == [True, False]


class Process:
    """A process that has ended with ``code``, or runs while that is None."""

    code: int | None = None

    def poll(self) -> int | None:
        return self.code


@pytest.fixture
def started() -> list[Process]:
    return []


@pytest.fixture
def night(started: list[Process]) -> Night:
    def start() -> Any:
        started.append(Process())
        return started[-1]

    return Night(start)


def test_the_supervisor_looks_after_its_start_and_then_every_night(
    night: Night, started: list[Process]
) -> None:
    now = at("2026-11-30 12:00")
    night.look(now)
    assert started == []
    now += FIRST_LOOK
    night.look(now)
    night.look(now)
    assert len(started) == 1
    started[0].code = 0
    for hour in range(24):
        night.look(now + timedelta(hours=hour))
    assert len(started) == 2


@pytest.mark.parametrize("code", [nightly.EXIT_BUSY, nightly.EXIT_FAILED, -9])
def test_the_supervisor_tries_again_after_a_failure(
    night: Night, started: list[Process], code: int
) -> None:
    now = at("2026-11-30 12:00")
    night.look(now)
    now += FIRST_LOOK
    night.look(now)
    started[0].code = code
    night.look(now)
    assert len(started) == 1
    night.look(now + AGAIN)
    assert len(started) == 2
