"""Writing many people in few statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from koinonia.member_import.records import UnusableFileError, records
from koinonia.member_import.rows import BadRowError, Columns, Person
from koinonia.models import Church, Group, Member

MOST_ROWS = 50_000
_AT_ONCE = 500
_TRIES = 3


@dataclass
class Report:
    """A number that is new is created; a known one with other names or new groups is updated;
    else it is skipped. Of a number that comes again in the file, the later line counts."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    """Line in the file, and what is wrong with it."""


def import_members(church: Church, content: bytes, *, now: datetime) -> Report:
    """Raises UnusableFileError where the header is unusable or there are too many rows.

    Groups are added, never taken away, and made where they are new. Opt-outs are not touched.
    """
    people, errors = _people(content, church.country)
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                report = _Import(church, now).run(people)
            break
        except IntegrityError:
            # Someone else added one of them in between; the next round finds that row.
            if not tries_left:
                raise
    report.errors = errors
    return report


def _people(content: bytes, country: str) -> tuple[list[Person], list[tuple[int, str]]]:
    rows = records(content)
    header = next(rows, None)
    if header is None:
        raise UnusableFileError("The file is empty.")
    columns = Columns(header)
    people: list[Person] = []
    errors: list[tuple[int, str]] = []
    for number, record in enumerate(rows, 1):
        if number > MOST_ROWS:
            raise UnusableFileError(f"At most {MOST_ROWS:,} lines can be imported at once.")
        try:
            people.append(columns.person(record, country))
        except BadRowError as error:
            errors.append((record.line, str(error)))
    return people, errors


class _Import:
    def __init__(self, church: Church, now: datetime) -> None:
        self.church = church
        self.now = now
        self.report = Report()
        self.known: dict[str, Member] = {}
        self.groups_of: dict[str, set[str]] = {}
        self.new: dict[str, Member] = {}
        self.changed: dict[str, Member] = {}
        self.joins: set[tuple[str, str]] = set()
        """Phone and group name."""

    def run(self, people: Sequence[Person]) -> Report:
        self._find({person.phone for person in people})
        for person in people:
            self._take(person)
        self._write()
        return self.report

    def _find(self, wanted: set[str]) -> None:
        """Who of them is here already, and in which groups."""
        phones = sorted(wanted)
        here = Member.objects.filter(church=self.church).prefetch_related("groups")
        for start in range(0, len(phones), _AT_ONCE):
            for member in here.filter(phone__in=phones[start : start + _AT_ONCE]):
                self.known[member.phone] = member
                self.groups_of[member.phone] = {group.name for group in member.groups.all()}

    def _take(self, person: Person) -> None:
        member = self.known.get(person.phone)
        if member is None:
            member = Member(
                church=self.church, first_name=person.first_name, last_name=person.last_name,
                phone=person.phone,
            )  # fmt: skip
            self.known[person.phone] = self.new[person.phone] = member
            self.groups_of[person.phone] = set()
            self.report.created += 1
            changed = False
        else:
            changed = self._change(member, person)
            self.report.updated += changed
            self.report.skipped += not changed
        joined = person.groups - self.groups_of[person.phone]
        self.groups_of[person.phone] |= joined
        self.joins |= {(person.phone, name) for name in joined}

    def _change(self, member: Member, person: Person) -> bool:
        names = (person.first_name, person.last_name)
        joins = not person.groups <= self.groups_of[person.phone]
        if (member.first_name, member.last_name) == names and not joins:
            return False
        member.first_name, member.last_name = names
        member.updated_at = self.now
        if person.phone not in self.new:
            self.changed[person.phone] = member
        return True

    def _write(self) -> None:
        Member.objects.bulk_create(self.new.values(), batch_size=_AT_ONCE)
        Member.objects.bulk_update(
            self.changed.values(), ["first_name", "last_name", "updated_at"], batch_size=_AT_ONCE
        )
        groups = self._groups()
        through = Member.groups.through
        rows = [
            through(member_id=self.known[phone].pk, group_id=groups[name])
            for phone, name in sorted(self.joins)
        ]
        through.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_AT_ONCE)

    def _groups(self) -> dict[str, int]:
        """Name to key of all groups that are joined; new ones are made."""
        wanted = sorted({name for _, name in self.joins})
        here = Group.objects.filter(church=self.church)
        known = dict(here.values_list("name", "pk"))
        new = [Group(church=self.church, name=name) for name in wanted if name not in known]
        Group.objects.bulk_create(new)
        return known | {group.name: group.pk for group in new}
