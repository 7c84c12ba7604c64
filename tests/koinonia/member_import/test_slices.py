"""Imports of many people do not starve other writers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from koinonia.member_import.file import import_members
from koinonia.models import Church, Member

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 8_000


def many_people(count: int) -> bytes:
    rows = (
        f"Person {number},Lee,+1{212 + number // 8000}{220 + number % 8000 // 100:03}{1000 + number % 100:04},"
        f"Group {number % 7};Choir\n"
        for number in range(count)
    )
    return ("first_name,last_name,phone,groups\n" + "".join(rows)).encode()


class Beside(threading.Thread):
    """A thread that renames a church repeatedly until it is stopped, as another writer."""

    def __init__(self, church: Church) -> None:
        super().__init__()
        self._church = church
        self._done = threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        try:
            while not self._done.wait(0.005):
                started = time.monotonic()
                Church.objects.filter(pk=self._church.pk).update(name=f"Hope {len(self.waits)}")
                self.waits.append(time.monotonic() - started)
        finally:
            connection.close()

    def during(self, work: Callable[[], object]) -> float:
        """Return the duration of ``work`` in seconds."""
        self.start()
        started = time.monotonic()
        try:
            work()
        finally:
            took = time.monotonic() - started
            self._done.set()
            self.join()
        return took


def test_another_writer_waits_at_most_for_a_slice(
    grace: Church, hope: Church, capsys: pytest.CaptureFixture[str]
) -> None:
    idle, beside = Beside(hope), Beside(hope)
    idle.during(lambda: time.sleep(0.5))
    content = many_people(PEOPLE)
    took = beside.during(lambda: import_members(grace, content, now=timezone.now()))
    assert grace.members.count() == PEOPLE
    longest = max(beside.waits)
    with capsys.disabled():
        print(  # noqa: T201 -- the figures are what this run is for
            f"\n{len(content):,} bytes, {PEOPLE:,} rows in {took:.1f} s; longest of"
            f" {len(beside.waits)} writes beside it {longest:.3f} s = {longest / took:.4f} of the"
            f" import = {longest / max(idle.waits):.1f} × that of {len(idle.waits)} idle ones"
        )
    # A lock for the whole import would cause a wait of more than half of its time. The second bound
    # tolerates two long waits, because the machine can pause a thread at any time.
    assert longest < took / 3
    assert sorted(beside.waits)[-3] < took / 8


def test_two_concurrent_imports_create_each_person_once(grace: Church) -> None:
    content = many_people(600)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            import_members(grace, content, now=timezone.now())
        except BaseException as error:  # Raised again in the test below.
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Member.objects.filter(church=grace).count() == 600
    assert Member.objects.filter(church=grace, groups__name="Choir").count() == 600
    assert grace.groups.count() == 8
