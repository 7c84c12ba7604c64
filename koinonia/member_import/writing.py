"""Writing a plan in short transactions, so that other writers do not starve.

SQLite has one writer at a time, and waiting writers poll for the lock. After each slice, the import
pauses for half of the time that the slice took.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext_lazy as _

from delivery.models import ConsentChange, OptOut
from delivery.opt_outs import Record, opt_out, opted_out
from delivery.opt_outs.agreements import agree
from koinonia.member_import.comparison import ImportedPerson, Plan, same_person, too_many_at_number
from koinonia.member_import.report import Report
from koinonia.member_import.table import MAX_PEOPLE_OF_A_NUMBER
from koinonia.models import Church, Group, Member

AT_ONCE = 100
"""People or opt-outs per transaction."""
READ_AT_ONCE = 1000
"""People or opt-outs that a preview compares with one statement. It holds no lock."""
_TRIES = 3
_MIN_PAUSE, _MAX_PAUSE = 0.01, 0.5
"""Seconds."""
_T = TypeVar("_T")

logger = logging.getLogger(__name__)


@dataclass
class Changes:
    """The changes of one slice of people."""

    new: list[tuple[Member, ImportedPerson]] = field(default_factory=list)
    renamed: list[Member] = field(default_factory=list)
    joins: list[tuple[Member, list[str]]] = field(default_factory=list)
    """Members with the keys of the groups that they are added to."""
    refused: list[ImportedPerson] = field(default_factory=list)
    """People at a number that has the maximum of members already."""
    sharing: dict[int, list[str]] = field(default_factory=dict)
    """Line of a new person to the names of the members who have the number already."""
    updated: int = 0
    skipped: int = 0


def preview(church: Church, plan: Plan, report: Report) -> dict[int, list[str]]:
    """Count in ``report`` the changes that writing ``plan`` would make.

    Return the lines of new people whose number members have already, with the names of these members.
    """
    sharing: dict[int, list[str]] = {}
    newly_out: set[str] = set()
    for numbers in _slices(sorted(plan.opt_outs), READ_AT_ONCE):
        newly_out |= set(numbers) - opted_out(church.pk, numbers)
    for people in _slices(plan.people, READ_AT_ONCE):
        changes = changes_of(church, people, newly_out)
        count(changes, report)
        sharing |= changes.sharing
    report.new_groups = sorted(plan.new_groups.values())
    return sharing


@dataclass
class Step:
    """The result of one slice."""

    position: int
    """The number of opt-outs and people that are done."""
    opted_out: int = 0
    """New opt-outs."""
    changes: Changes = field(default_factory=Changes)
    new_groups: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The user and the file of an import, for the log of consent."""

    user: User | None = None
    file_name: str = ""
    agreed: bool = False
    """The user says that the people of the file have agreed to get texts."""


class Writing:
    """Writes a plan in slices: opt-outs first, so that an opted-out person never gets a text in
    between, then people with their groups. Each slice is one transaction."""

    def __init__(self, church: Church, plan: Plan, origin: Origin, *, now: datetime) -> None:
        self._church = church
        self._origin = origin
        self._numbers = sorted(plan.opt_outs)
        self._people = plan.people
        self._now = now

    @property
    def total(self) -> int:
        return len(self._numbers) + len(self._people)

    def slice_at(self, position: int) -> Sequence[ImportedPerson]:
        """Return the people of the slice at ``position``; none for a slice of opt-outs."""
        start = position - len(self._numbers)
        return self._people[start : start + AT_ONCE] if start >= 0 else ()

    def step(self, position: int) -> Step:
        """Write the slice at ``position``. Retry after a race (another request created or deleted
        one of the groups) or a deadlock."""
        people = self.slice_at(position)
        if not people:
            numbers = self._numbers[position : position + AT_ONCE]
            return Step(position + len(numbers), opted_out=self._opt_out(numbers))
        for tries_left in reversed(range(_TRIES)):
            try:
                with transaction.atomic():
                    changes, new_groups = self._write(people)
            except DatabaseError:
                if not tries_left:
                    raise
            else:
                return Step(position + len(people), changes=changes, new_groups=new_groups)
        raise AssertionError("The last try returns or raises.")

    def _opt_out(self, numbers: Sequence[str]) -> int:
        with transaction.atomic():
            new = set(numbers) - opted_out(self._church.pk, numbers)
            for number in sorted(new):
                opt_out(
                    self._church.pk, number, OptOut.Source.FILE, now=self._now,
                    by=self._origin.user, file_name=self._origin.file_name,
                )  # fmt: skip
        return len(new)

    def _newly_out(self, phones: Collection[str]) -> set[str]:
        """Return the numbers among ``phones`` that this import opted out."""
        changes = ConsentChange.objects.filter(
            tenant=self._church, number__in=phones, opted_out=True, at=self._now,
            source=ConsentChange.Source.FILE,
        )  # fmt: skip
        return set(changes.values_list("number", flat=True))

    def _write(self, people: Sequence[ImportedPerson]) -> tuple[Changes, set[str]]:
        # Lock the church: two concurrent imports must not both create the same people.
        Church.objects.select_for_update(no_key=True).filter(pk=self._church.pk).first()
        newly_out = self._newly_out({person.phone for person in people})
        changes = changes_of(self._church, people, newly_out)
        Member.objects.filter(pk__in=[member.pk for member in changes.renamed]).lock_for_change()
        for member in changes.renamed:
            member.updated_at = self._now
        Member.objects.bulk_create(member for member, _ in changes.new)
        Member.objects.bulk_update(changes.renamed, ["first_name", "last_name", "updated_at"])
        names = {key: name for person in people for key, name in person.groups.items()}
        wanted = {key for _, keys in changes.joins for key in keys}
        wanted |= {key for _, person in changes.new for key in person.groups}
        groups, new_groups = self._groups({key: names[key] for key in wanted})
        joins = [*changes.joins, *((member, list(person.groups)) for member, person in changes.new)]
        through = Member.groups.through
        through.objects.bulk_create(
            (
                through(member_id=member.pk, group_id=groups[key])
                for member, keys in joins
                for key in keys
            ),
            ignore_conflicts=True,
        )
        if self._origin.agreed:
            self._agree(people, changes)
        return changes, new_groups

    def _agree(self, people: Sequence[ImportedPerson], changes: Changes) -> None:
        """Record the agreement of the people, also of those whom the file does not change."""
        said = Record(
            source=OptOut.Source.FILE, at=self._now,
            by=self._origin.user, file_name=self._origin.file_name,
        )  # fmt: skip
        refused = {id(person) for person in changes.refused}
        phones = {person.phone for person in people if id(person) not in refused}
        newcomers = {person.phone for _, person in changes.new}
        agree(self._church.pk, phones, said, newcomers=newcomers)

    def _groups(self, names: dict[str, str]) -> tuple[dict[str, int], set[str]]:
        """Return the primary keys of these groups (key to name), and the names of created groups."""
        here = Group.objects.filter(church=self._church, key__in=names)
        found = {key: pk for key, pk in here.values_list("key", "pk") if key is not None}
        missing = [
            Group(church=self._church, name=name) for key, name in names.items() if key not in found
        ]
        made = Group.objects.bulk_create(missing)
        found |= {group.key: group.pk for group in made if group.key is not None}
        return found, {group.name for group in made}


def write(church: Church, plan: Plan, report: Report, origin: Origin, *, now: datetime) -> None:
    """Write ``plan``. Count changes and failures in ``report``.

    A database error among the opt-outs ends the import: people must not be written without them.
    """
    Group.objects.filter(church=church).complete_keys()
    writing = Writing(church, plan, origin, now=now)
    position, new_groups = 0, set[str]()
    while position < writing.total:
        started = time.monotonic()
        try:
            step = writing.step(position)
        except DatabaseError as error:
            if not (people := writing.slice_at(position)):
                raise
            note_unwritten(people, error, report)
            position += len(people)
        else:
            count(step.changes, report)
            new_groups |= step.new_groups
            position = step.position
        yield_to_writers(time.monotonic() - started)
    report.new_groups = sorted(new_groups)


def note_unwritten(people: Sequence[ImportedPerson], error: DatabaseError, report: Report) -> None:
    """Log the database error, and report the people of its slice."""
    logger.error(
        "Writing a part of an import failed",
        exc_info=error,
        extra={"action": "import_not_written", "people": len(people)},
    )
    report.rejected += len(people)
    for person in people:
        report.remark(person.line, str(_NOT_WRITTEN), person.name)


_NOT_WRITTEN = _("Not written: the database refused it. Import the file again.")


def changes_of(church: Church, people: Sequence[ImportedPerson], newly_out: set[str]) -> Changes:
    """Return the changes of ``people`` against the current members of the church."""
    members: dict[str, list[Member]] = {}
    phones = {person.phone for person in people}
    here = Member.objects.filter(church=church, phone__in=phones).order_by("pk")
    for member in here.prefetch_related("groups"):
        members.setdefault(member.phone, []).append(member)
    changes = Changes()
    for person in people:
        at_number = members.setdefault(person.phone, [])
        known = same_person(at_number, person.first_name, person.last_name)
        if known is None and len(at_number) >= MAX_PEOPLE_OF_A_NUMBER:
            changes.refused.append(person)
        elif known is None:
            new = Member(
                church=church, first_name=person.first_name, last_name=person.last_name,
                phone=person.phone,
            )  # fmt: skip
            changes.new.append((new, person))
            if at_number:
                changes.sharing[person.line] = [member.name for member in at_number]
        else:
            _change(known, person, changes, is_newly_out=person.phone in newly_out)
    return changes


def _change(
    member: Member, person: ImportedPerson, changes: Changes, *, is_newly_out: bool
) -> None:
    before = (member.first_name, member.last_name)
    member.first_name = person.first_name
    member.last_name = person.last_name or (member.last_name if before[0] else "")
    keys = {group.key for group in member.groups.all()}
    joined = [key for key in person.groups if key not in keys]
    is_renamed = (member.first_name, member.last_name) != before
    if is_renamed or joined:
        changes.renamed.append(member)
    if joined:
        changes.joins.append((member, joined))
    if is_renamed or joined or is_newly_out:
        changes.updated += 1
    else:
        changes.skipped += 1


def count(changes: Changes, report: Report) -> None:
    report.created += len(changes.new)
    report.updated += changes.updated
    report.skipped += changes.skipped
    report.rejected += len(changes.refused)
    for person in changes.refused:
        report.remark(person.line, too_many_at_number(), person.name)


def _slices(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def yield_to_writers(seconds: float) -> None:
    """Pause for other SQLite writers after writing for ``seconds``."""
    if connection.vendor == "sqlite":
        time.sleep(min(max(seconds / 2, _MIN_PAUSE), _MAX_PAUSE))
