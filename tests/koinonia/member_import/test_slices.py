"""An import of many people holds nobody up for long."""

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
    """Renames a church again and again, as any other request writes, until it is told to stop."""

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
        """Return the seconds that ``work`` took."""
        self.start()
        started = time.monotonic()
        try:
            work()
        finally:
            took = time.monotonic() - started
            self._done.set()
            self.join()
        return took


def test_another_writer_waits_for_a_slice_and_not_for_the_import(
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
    # A lock for the whole import makes one wait of more than half of it. The other bound leaves two waits
    # to the machine, which may stop a thread whenever it likes.
    assert longest < took / 3
    assert sorted(beside.waits)[-3] < took / 8


def test_two_imports_of_one_file_at_once_make_each_person_once(grace: Church) -> None:
    content = many_people(600)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            import_members(grace, content, now=timezone.now())
        except BaseException as error:  # told to the test below
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
