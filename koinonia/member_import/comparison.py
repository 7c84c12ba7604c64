"""The plan of an import: the people of the file compared with the members of the church."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from django.utils.translation import gettext as _

from koinonia.member_import.consent import Consent
from koinonia.member_import.consent_in_words import consent_of_title
from koinonia.member_import.name_cells import split_known
from koinonia.member_import.people import People, Person, Row
from koinonia.member_import.report import Report
from koinonia.member_import.table import (
    MAX_GROUP_ENTRIES_OF_A_FILE,
    MAX_GROUPS_OF_A_CHURCH,
    MAX_GROUPS_OF_A_FILE,
    MAX_NAME_LENGTH,
    MAX_PEOPLE_OF_A_NUMBER,
    MAX_ROWS,
    Table,
    UnusableFileError,
)
from koinonia.models import Church, Group
from koinonia.models.group import group_key
from koinonia.models.member import full_name
from koinonia.names import search_key
from koinonia.numbers import grouped


class Named(Protocol):
    first_name: str
    last_name: str


_N = TypeVar("_N", bound=Named)


def same_person(people: Iterable[_N], first_name: str, last_name: str) -> _N | None:
    """Return the person with this name among ``people``, who share a number.

    Ignore case and accents. A missing last name matches any last name if only one person at the
    number has the first name.
    """
    candidates = list(people)
    if not candidates:
        return None
    wanted = search_key(full_name(first_name, last_name))
    for person in candidates:
        if search_key(full_name(person.first_name, person.last_name)) == wanted:
            return person
    first = search_key(first_name)
    alike = [
        person
        for person in candidates
        if search_key(person.first_name) == first and not (person.last_name and last_name)
    ]
    if len(alike) == 1:
        return alike[0]
    # A member who joined by a keyword has no name yet: the file gives it.
    nameless = [person for person in candidates if not person.first_name]
    return nameless[0] if len(nameless) == 1 else None


@dataclass(slots=True)
class ImportedPerson:
    """A person of the file, with the name of the last row and the groups of all rows."""

    line: int
    first_name: str
    last_name: str
    phone: str
    groups: dict[str, str]
    """Key to name."""

    @property
    def name(self) -> str:
        return full_name(self.first_name, self.last_name)


@dataclass
class Plan:
    people: list[ImportedPerson] = field(default_factory=list)
    opt_outs: set[str] = field(default_factory=set)
    """Phone numbers."""
    known_groups: dict[str, str] = field(default_factory=dict)
    """Key to name of the church's groups before the import."""

    @property
    def new_groups(self) -> dict[str, str]:
        named: dict[str, str] = {}
        for person in self.people:
            for key, name in person.groups.items():
                if key not in self.known_groups:
                    named.setdefault(key, name)
        return named


def plan_import(church: Church, table: Table, report: Report, *, file_name: str = "") -> Plan:
    """Return the plan for the people in ``table`` and add remarks to ``report``.

    Write nothing. Raise UnusableFileError beyond a limit.
    """
    consent = consent_of_title(file_name)
    if consent is Consent.UNKNOWN:
        raise UnusableFileError(
            _(
                "The name of the file speaks of people who have unsubscribed, beside a negation or"
                " another condition. Give it a name that says whether all of its people have, or leave"
                " those words out."
            )
        )
    all_opted_out = consent is Consent.OUT or table.all_opted_out
    people = People(table.columns, church.country, all_opted_out=all_opted_out)
    rows = _rows(people, table, report)
    _note_columns(table, rows, report, all_opted_out=all_opted_out)
    report.ignored_columns += [
        _("column %(number)s, which has no name") % {"number": at + 1}
        for at in sorted(people.filled_unnamed)
    ]
    plan = Plan(known_groups=groups_of(church))
    plan.opt_outs = {row.phone for row in rows if row.opted_out and row.phone}
    _merge([row.person for row in rows if row.person], plan, report)
    _check_groups(plan)
    return plan


def _rows(people: People, table: Table, report: Report) -> list[Row]:
    rows: list[Row] = []
    limits = _GroupLimits()
    for line, sentence in table.remarks:
        report.remark(line, sentence)
    for number, record in enumerate(table.records, 1):
        if number > MAX_ROWS:
            sentence = _("At most %(most)s lines can be imported at once. Split the file.")
            raise UnusableFileError(sentence % {"most": grouped(MAX_ROWS)})
        row = people.row(record)
        limits.add(row)
        report.skipped += row.departed
        report.departed += row.departed
        report.rejected += not row.departed and row.person is None
        for sentence in row.remarks:
            report.remark(row.line, sentence, row.name)
        rows.append(row)
    return rows


def _note_columns(table: Table, rows: list[Row], report: Report, *, all_opted_out: bool) -> None:
    report.ignored_columns += [*table.columns.ignored, *table.left_out]
    columns = table.columns
    if not columns.has_first_choice:
        report.ignored_columns += [
            _("%(column)s (taken as the phone: the file has no mobile number)")
            % {"column": column.header}
            for column in columns.second_choice
        ]
    empty_consents = Counter(header for row in rows if row.person for header in row.empty_consents)
    report.ignored_columns += [
        _("%(column)s (empty in %(number)s of the rows: these say nothing, and are imported)")
        % {"column": header, "number": grouped(number)}
        for header, number in empty_consents.items()
    ]
    if all_opted_out:
        report.remark(
            1,
            _("The name of the list says that its people have unsubscribed: all are opted out."),
        )


def groups_of(church: Church) -> dict[str, str]:
    """Return key and name of the church's groups."""
    names = Group.objects.filter(church=church).order_by("-pk").values_list("name", flat=True)
    return {group_key(name): name for name in names}


def _merge(people: list[Person], plan: Plan, report: Report) -> None:
    """Add each person once; a further row of a person adds groups and updates the name."""
    plain = (name for person in people for name in person.groups if "," not in name)
    known = {group_key(name) for name in plain} | plan.known_groups.keys()
    at_number: dict[str, list[ImportedPerson]] = {}
    names_of: dict[str, str] = {}
    for person in people:
        parts = [part for name in person.groups for part in split_known(name, known)]
        if any(len(part) > MAX_NAME_LENGTH for part in parts):
            sentence = _("groups: A name is longer than %(most)s characters.")
            name = full_name(person.first_name, person.last_name)
            report.remark(person.line, sentence % {"most": MAX_NAME_LENGTH}, name)
            report.rejected += 1
            continue
        # Keep the first spelling in the file.
        groups = {key: names_of.setdefault(key, part) for part in parts if (key := group_key(part))}
        others = at_number.setdefault(person.phone, [])
        same = same_person(others, person.first_name, person.last_name)
        if same is None and len(others) >= MAX_PEOPLE_OF_A_NUMBER:
            name = full_name(person.first_name, person.last_name)
            report.remark(person.line, too_many_at_number(), name)
            report.rejected += 1
        elif same is None:
            wanted = ImportedPerson(
                person.line, person.first_name, person.last_name, person.phone, groups
            )
            others.append(wanted)
            plan.people.append(wanted)
        elif _take_further_row(same, person, groups):
            report.updated += 1
        else:
            report.skipped += 1


def too_many_at_number() -> str:
    """Return the remark about one person more than ``MAX_PEOPLE_OF_A_NUMBER``."""
    sentence = _(
        "phone: More than %(most)s people would share this number. The person is not imported."
    )
    return sentence % {"most": MAX_PEOPLE_OF_A_NUMBER}


def _take_further_row(same: ImportedPerson, person: Person, groups: dict[str, str]) -> bool:
    """Add another row of the same person; return True if it changes the person."""
    before = (same.first_name, same.last_name, len(same.groups))
    same.first_name = person.first_name
    same.last_name = person.last_name or same.last_name
    same.groups |= groups
    return before != (same.first_name, same.last_name, len(same.groups))


class _GroupLimits:
    """Counts the groups while a file is read, so that reading stops at a limit."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._memberships = 0

    def add(self, row: Row) -> None:
        """Count the groups of ``row``. Raise UnusableFileError beyond a limit."""
        if not row.person:
            return
        self._memberships += len(row.person.groups)
        self._keys.update(group_key(name) for name in row.person.groups if "," not in name)
        if len(self._keys) > MAX_GROUPS_OF_A_FILE:
            raise UnusableFileError(_too_many_groups())
        if self._memberships > MAX_GROUP_ENTRIES_OF_A_FILE:
            sentence = _(
                "The file puts people into groups more than %(most)s times, which is the most that can"
                " be imported at once. Split the file."
            )
            most = grouped(MAX_GROUP_ENTRIES_OF_A_FILE)
            raise UnusableFileError(sentence % {"most": most})


def _too_many_groups() -> str:
    sentence = _(
        "The file names more than %(most)s groups, which is the most that can be imported at once."
        " Is the right column named groups? Nothing is imported."
    )
    return sentence % {"most": MAX_GROUPS_OF_A_FILE}


def _check_groups(plan: Plan) -> None:
    named = {key for person in plan.people for key in person.groups}
    if len(named) > MAX_GROUPS_OF_A_FILE:
        raise UnusableFileError(_too_many_groups())
    if len(named | plan.known_groups.keys()) > MAX_GROUPS_OF_A_CHURCH and plan.new_groups:
        sentence = _(
            "With %(number)s new groups the church would have more than %(most)s. Delete some, or leave"
            " them out. Nothing is imported."
        )
        new = grouped(len(plan.new_groups))
        most = grouped(MAX_GROUPS_OF_A_CHURCH)
        raise UnusableFileError(sentence % {"number": new, "most": most})
