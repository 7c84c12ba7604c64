"""The import of a file of people into a church: format, encoding, plan, writing."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from koinonia.member_import.comparison import plan_import
from koinonia.member_import.csv_table import read_csv
from koinonia.member_import.decoding import (
    certain_text,
    declared_codec,
    decoded_for_show,
    guessed_codec,
    web_name,
)
from koinonia.member_import.kinds import Kind, kind_of
from koinonia.member_import.report import Report
from koinonia.member_import.table import (
    Mapping,
    Record,
    Table,
    UnknownEncodingError,
    UnusableFileError,
)
from koinonia.member_import.vcards import read_vcards
from koinonia.member_import.workbook import read_workbook
from koinonia.member_import.writing import Origin, preview, write
from koinonia.models import Church
from koinonia.models.member_file import MAX_FILE_NAME_LENGTH
from koinonia.names import tidy


def import_members(
    church: Church,
    content: bytes,
    *,
    now: datetime,
    file_name: str = "",
    encoding: str = "",
    dry_run: bool = False,
    user: User | None = None,
    agreed: bool = False,
) -> Report:
    """Import the people in ``content`` and return the report; ``dry_run`` writes nothing.

    With ``agreed``, ``user`` says that these people have agreed to get texts.

    Import all valid rows and report the other rows by line. The same number and name mean the same
    person. Members are added to groups, never removed, and new groups are created. Opt-outs are
    stored, never cleared. Raise UnusableFileError if the whole file is unusable.
    """
    report = Report()
    plan = plan_import(church, read_table(content, encoding=encoding), report, file_name=file_name)
    if dry_run:
        preview(church, plan, report)
    else:
        origin = Origin(user=user, file_name=tidy(file_name)[:MAX_FILE_NAME_LENGTH], agreed=agreed)
        write(church, plan, report, origin, now=now)
    report.close()
    return report


_SAMPLES = 3
_MAX_SAMPLE_LENGTH = 40
_MAX_SAMPLED_ROWS = 5_000


def read_table(content: bytes, *, encoding: str = "", mapping: Mapping | None = None) -> Table:
    """Return the table in ``content``; ``encoding`` is the declared encoding of a text file.

    ``mapping`` are the columns that a person chose. Raise UnusableFileError, or UnknownEncodingError with sample names.
    """
    kind = kind_of(content)
    if kind is Kind.WORKBOOK:
        return read_workbook(content, mapping)
    text = certain_text(content, declared_codec(encoding) if encoding else "")
    if text is None:
        raise _unknown_encoding(content, kind)
    return _of_text(text, kind, mapping)


def _of_text(text: str, kind: Kind, mapping: Mapping | None = None) -> Table:
    return read_vcards(text) if kind is Kind.VCARDS else read_csv(text, mapping)


def sample_names(content: bytes, codec: str) -> list[str]:
    """Return up to three names with other letters than ASCII, as ``codec`` reads them."""
    return _samples(decoded_for_show(content, codec), kind_of(content))


def _unknown_encoding(content: bytes, kind: Kind) -> UnknownEncodingError:
    codec = guessed_codec(content)
    samples = _samples(decoded_for_show(content, codec), kind) if codec else []
    if not codec or not samples:
        return UnknownEncodingError(
            _(
                "The file does not say its encoding, and it is not UTF-8. Save it as CSV UTF-8, or name"
                " its encoding: ?encoding=windows-1252, for example."
            )
        )
    name = web_name(codec)
    sentence = _(
        "The file does not say its encoding. If it is %(encoding)s, these names are in it: %(names)s."
        " If they are right, send it again with ?encoding=%(encoding)s; if not, name another encoding,"
        " or save the file as CSV UTF-8."
    )
    return UnknownEncodingError(sentence % {"encoding": name, "names": ", ".join(samples)})


def _samples(text: str, kind: Kind) -> list[str]:
    """Return names with non-ASCII letters, decoded with the guessed encoding."""
    try:
        table = _of_text(text, kind)
    except UnusableFileError:
        return []
    columns = table.columns
    parts = (*columns.first_names[:1], *columns.last_names[:1]) or tuple(columns.full_names[:1])
    if kind is Kind.VCARDS:
        parts = (*columns.first_names, *columns.last_names)
    named: list[str] = []
    elsewhere: list[str] = []
    for record in islice(table.records, _MAX_SAMPLED_ROWS):
        name = _shown(record, [column.at for column in parts])
        if not name.isascii():
            named.append(name)
        elsewhere += [shown for cell in record.cells if not (shown := tidy(cell)).isascii()][:1]
        if len(dict.fromkeys(named)) >= _SAMPLES:
            break
    found = dict.fromkeys(name[:_MAX_SAMPLE_LENGTH] for name in (*named, *elsewhere))
    return list(found)[:_SAMPLES]


def _shown(record: Record, columns: list[int]) -> str:
    return tidy(" ".join(record.cells[at] for at in columns if at < len(record.cells)))
