"""The preview of an import: columns, names, people, counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from delivery.opt_outs import opted_out
from koinonia.member_import.comparison import ImportedPerson, Plan, same_person
from koinonia.member_import.decoding import certain_text, guessed_codec, web_name
from koinonia.member_import.file import read_table, sample_names
from koinonia.member_import.kept import content_of, planned
from koinonia.member_import.kinds import Kind, kind_of
from koinonia.member_import.mapping import mapping_from, meanings
from koinonia.member_import.report import Report
from koinonia.member_import.table import (
    NO_HEADER,
    Mapping,
    NoHeaderError,
    Table,
    UnknownEncodingError,
    UnusableFileError,
)
from koinonia.member_import.writing import preview
from koinonia.models import Church, Member, MemberFile
from koinonia.models.member import full_name
from koinonia.names import tidy

FIRST_PEOPLE = 10
SHOWN_SHARING = 20
_SAMPLED_ROWS = 200
_SAMPLES = 3
_SAMPLE_LENGTH = 40
_DIGITS_OF_A_NUMBER = 7
_ENCODINGS = ("cp1252", "mac_roman", "cp1250", "cp1251", "iso8859_15", "cp437")
"""Encodings beside the guess: Windows, old Macs, Central Europe, Cyrillic, Western Europe, DOS."""


@dataclass(frozen=True)
class ShownColumn:
    at: int
    header: str
    meaning: str
    """The recognised meaning; "" for an unused column."""
    chosen: str
    """The meaning that the person chose; "" without a choice."""
    samples: list[str]


@dataclass(frozen=True)
class ShownPerson:
    line: int
    name: str
    phone: str
    groups: list[str]
    state: str
    """``new``, ``changed`` or ``same``."""
    before: str
    """The present name, where it changes."""
    opted_out: bool


@dataclass(frozen=True)
class Sharing:
    """A new person whose number other people have too."""

    line: int
    name: str
    phone: str
    others: list[str]
    """Their names: members, and people of earlier lines."""


@dataclass
class Preview:
    problem: str = ""
    """The reason why the file cannot be imported yet."""
    encodings: list[tuple[str, list[str]]] = field(default_factory=list)
    """Names of possible encodings, each with names of people as it reads them."""
    header_line: int = 0
    """``NO_HEADER`` if a person said that the first line is a person."""
    has_header: bool = True
    """False if the first line is a person, or seems to be one."""
    columns: list[ShownColumn] = field(default_factory=list)
    people: list[ShownPerson] = field(default_factory=list)
    sharing: list[Sharing] = field(default_factory=list)
    """At most ``SHOWN_SHARING``."""
    more_sharing: int = 0
    number: int = 0
    """People in the file."""
    opt_outs: int = 0
    """Numbers that the file opts out."""
    asks_consent: bool = True
    """True if the file has no column about consent."""
    report: Report = field(default_factory=Report)

    @property
    def remarks(self) -> list[tuple[int, str, str]]:
        """Return line, name and sentence of the remarks."""
        names = self.report.names
        return [(line, names.get(line, ""), sentence) for line, sentence in self.report.errors]


def preview_of(file: MemberFile) -> Preview:
    """Return the preview of a kept file. Write only the plan of the file."""
    found, content = Preview(), content_of(file)
    try:
        if kind_of(content) is not Kind.WORKBOOK and certain_text(content) is None:
            found.encodings = _encodings(content)
        _show_columns(found, file, content)
        plan, found.report = planned(file)
        members_at = preview(file.church, plan, found.report)
    except UnknownEncodingError:
        found.problem = "encoding"
    except UnusableFileError as error:
        found.problem = str(error)
    else:
        found.report.close()
        found.number, found.opt_outs = len(plan.people), len(plan.opt_outs)
        found.people = _people(file.church, plan)
        sharing = _sharing(plan, members_at)
        found.sharing = sharing[:SHOWN_SHARING]
        found.more_sharing = len(sharing) - len(found.sharing)
    return found


def _encodings(content: bytes) -> list[tuple[str, list[str]]]:
    """Return encodings with names as each reads them, the most probable first."""
    guess = guessed_codec(content)
    shown: list[tuple[str, list[str]]] = []
    for codec in dict.fromkeys([*([guess] if guess else []), *_ENCODINGS]):
        samples = sample_names(content, codec)
        if samples and samples not in [others for _, others in shown]:
            shown.append((web_name(codec), samples))
    return shown


def _show_columns(found: Preview, file: MemberFile, content: bytes) -> None:
    table = _readable(content, file.encoding, mapping_from(file.mapping))
    found.asks_consent = not table.columns.consents and not table.all_opted_out
    found.header_line = table.header_line
    found.has_header = table.header_line != NO_HEADER and not any(map(_is_number, table.header))
    columns = meanings(table.columns)
    rows = [record.cells for record in islice(table.records, _SAMPLED_ROWS) if not record.error]
    chosen = file.mapping.get("columns", {})
    found.columns = [
        ShownColumn(at, tidy(header)[:60], columns.get(at, ""), chosen.get(str(at), ""), samples)
        for at, header in enumerate(table.header)
        if (samples := _samples(rows, at)) or tidy(header)
    ]


def _is_number(cell: str) -> bool:
    """Return whether a cell of the first line holds a phone number, which names no column."""
    return sum(sign.isdigit() for sign in cell) >= _DIGITS_OF_A_NUMBER


def _readable(content: bytes, encoding: str, mapping: Mapping | None) -> Table:
    """Return the table. Accept a header without a name or a number: the person chooses columns."""
    try:
        return read_table(content, encoding=encoding, mapping=mapping)
    except NoHeaderError as error:
        unfinished = replace(mapping or Mapping(error.line), unfinished=True)
        return read_table(content, encoding=encoding, mapping=unfinished)


def _samples(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    cells = (tidy(cells[at])[:_SAMPLE_LENGTH] for cells in rows if at < len(cells))
    return list(dict.fromkeys(cell for cell in cells if cell))[:_SAMPLES]


def _people(church: Church, plan: Plan) -> list[ShownPerson]:
    first = plan.people[:FIRST_PEOPLE]
    phones = {person.phone for person in first}
    members: dict[str, list[Member]] = {}
    here = Member.objects.filter(church=church, phone__in=phones).order_by("pk")
    for member in here.prefetch_related("groups"):
        members.setdefault(member.phone, []).append(member)
    out = opted_out(church.pk, phones)
    return [_shown(person, members.get(person.phone, []), plan, out) for person in first]


def _sharing(plan: Plan, members_at: dict[int, list[str]]) -> list[Sharing]:
    """Return the new people whose number a member or an earlier person of the file has."""
    found: list[Sharing] = []
    earlier: dict[str, list[str]] = {}
    for person in plan.people:
        at_number = earlier.setdefault(person.phone, [])
        others = list(dict.fromkeys([*members_at.get(person.line, ()), *at_number]))
        if others:
            found.append(Sharing(person.line, person.name, person.phone, others))
        at_number.append(person.name)
    return found


def _shown(
    person: ImportedPerson, at_number: list[Member], plan: Plan, out: set[str]
) -> ShownPerson:
    known = same_person(at_number, person.first_name, person.last_name)
    name = full_name(person.first_name, person.last_name)
    state, before = "new", ""
    if known:
        # Who joined by a keyword has the number as last name: writing takes it away.
        last_name = known.last_name if known.first_name else ""
        name = full_name(person.first_name, person.last_name or last_name)
        is_renamed = full_name(known.first_name, known.last_name) != name
        before = known.name if is_renamed else ""
        keys = {group.key for group in known.groups.all()}
        changes = is_renamed or not person.groups.keys() <= keys
        newly_out = person.phone in plan.opt_outs and person.phone not in out
        state = "changed" if changes or newly_out else "same"
    return ShownPerson(
        person.line, name, person.phone, list(person.groups.values()), state, before,
        person.phone in plan.opt_outs or person.phone in out,
    )  # fmt: skip
