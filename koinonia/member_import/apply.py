"""Importing a file of people into a church."""

from __future__ import annotations

from datetime import datetime

from koinonia.member_import.plan import plan_import
from koinonia.member_import.reading import read_table
from koinonia.member_import.report import Report
from koinonia.member_import.writing import preview, write
from koinonia.models import Church


def import_members(
    church: Church,
    content: bytes,
    *,
    now: datetime,
    file_name: str = "",
    encoding: str = "",
    dry_run: bool = False,
) -> Report:
    """Import the people in ``content`` and return what was done; ``dry_run`` only tells it.

    All good rows are kept, the others reported by their line. One number and one name are one
    person. Groups are added, never taken away, and made where they are new. An opt-out is stored,
    never cleared. Raise UnusableFileError where nothing of the file can be used.
    """
    report = Report()
    plan = plan_import(church, read_table(content, encoding=encoding), report, file_name=file_name)
    if dry_run:
        preview(church, plan, report)
    else:
        write(church, plan, report, now=now)
    report.close()
    return report
