"""Uploaded files between their preview and the end of their import.

The import runs in steps. Each step writes slices for a few seconds, and stores the position in the
transaction of each slice: after a crash or a closed page the import continues there, with exact counts.
"""

from __future__ import annotations

import json
import time
import zlib
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import DatabaseError, OperationalError, transaction
from django.db.models import Q, QuerySet

from koinonia import audit
from koinonia.member_import.comparison import ImportedPerson, Plan, groups_of, plan_import
from koinonia.member_import.file import read_table
from koinonia.member_import.mapping import mapping_from
from koinonia.member_import.report import Report
from koinonia.member_import.table import MAX_REMARKS
from koinonia.member_import.writing import (
    Origin,
    Writing,
    count,
    note_unwritten,
    yield_to_writers,
)
from koinonia.models import Church, Group, MemberFile
from koinonia.models.member_file import KEPT_FOR, MAX_FILE_NAME_LENGTH, REPORT_KEPT_FOR

MOST_OF_A_CHURCH = 5
MOST = 200
"""Files of an installation: a gigabyte at most."""
State = MemberFile.State
_PERSON = tuple(field.name for field in fields(ImportedPerson))


class TooManyFilesError(Exception):
    """Other people are importing so many files that no further file can be kept."""


def keep(church: Church, user: User, content: bytes, name: str, *, now: datetime) -> MemberFile:
    """Keep an uploaded file for an hour. It replaces the user's earlier upload.

    Raise TooManyFilesError beyond a limit.
    """
    old_files(now).delete()
    mine = MemberFile.objects.filter(church=church, user=user, state=State.UPLOADED)
    mine.delete()
    kept = MemberFile.objects.exclude(state=State.DONE)
    if kept.filter(church=church).count() >= MOST_OF_A_CHURCH or kept.count() >= MOST:
        raise TooManyFilesError
    return MemberFile.objects.create(
        church=church, user=user, name=name[:MAX_FILE_NAME_LENGTH], content=zlib.compress(content),
        created_at=now,
    )  # fmt: skip


def content_of(file: MemberFile) -> bytes:
    return zlib.decompress(file.content)


def is_over(file: MemberFile, now: datetime) -> bool:
    """Return whether the time of an upload is over, though nothing has deleted it yet."""
    return file.state == State.UPLOADED and file.created_at <= now - KEPT_FOR


def old_files(now: datetime) -> QuerySet[MemberFile]:
    """Return uploads after an hour, and reports and stopped imports after a day."""
    upload = Q(created_at__lte=now - KEPT_FOR, state=State.UPLOADED)
    return MemberFile.objects.filter(upload | Q(created_at__lte=now - REPORT_KEPT_FOR))


def planned(file: MemberFile) -> tuple[Plan, Report]:
    """Return the plan of the file, and the report of its reading. The plan is kept with the file.

    Raise UnusableFileError if the file cannot be imported.
    """
    if file.plan:
        report = Report(
            updated=file.report["updated"],
            skipped=file.report["skipped"],
            departed=file.report.get("departed", 0),
            rejected=file.report.get("rejected", 0),
            errors=[tuple(remark) for remark in file.report["remarks"]],
            ignored_columns=list(file.report["ignored"]),
            remarks_left_out=file.report["left_out"],
            names=_names_in(file.report),
        )
        return _plan(file), report
    report = Report()
    table = read_table(content_of(file), encoding=file.encoding, mapping=mapping_from(file.mapping))
    plan = plan_import(file.church, table, report, file_name=file.name)
    written = {
        "people": [[getattr(person, name) for name in _PERSON] for person in plan.people],
        "opt_outs": sorted(plan.opt_outs),
    }
    file.plan = zlib.compress(json.dumps(written).encode())
    file.report = {
        "updated": report.updated,
        "skipped": report.skipped,
        "departed": report.departed,
        "rejected": report.rejected,
        "remarks": report.errors,
        "left_out": report.remarks_left_out,
        "names": report.names,
        "ignored": report.ignored_columns,
    }
    # A colleague or a second tab can have chosen other columns since.
    same = MemberFile.objects.filter(
        pk=file.pk, state=State.UPLOADED, mapping=file.mapping, encoding=file.encoding
    )
    same.update(plan=file.plan, report=file.report)
    return plan, report


def begin(file: MemberFile, *, now: datetime) -> None:
    """Begin the import of the plan, and delete the upload. A second call changes nothing.

    The user says with it that the people of the file have agreed to get texts. Raise UnusableFileError if the file cannot be imported.
    """
    plan, report = planned(file)
    Group.objects.filter(church=file.church).complete_keys()
    counts = {name: getattr(report, name) for name in _COUNTS}
    MemberFile.objects.filter(pk=file.pk, state=State.UPLOADED).update(
        state=State.RUNNING,
        content=b"",
        plan=file.plan,
        report=file.report,
        total=Writing(file.church, plan, _origin(file), now=now).total,
        progress={**counts, "opted_out": 0, "remarks": [], "new_groups": []},
        begun_at=now,
    )


def advance(file: MemberFile, *, seconds: float, now: datetime) -> None:
    """Write at least one slice, for some seconds or until all are written; ``file`` has the state after that.

    Return early if another request works on the file.
    """
    if file.state == State.RUNNING:
        writing = Writing(file.church, _plan(file), _origin(file), now=file.begun_at or now)
        began = time.monotonic()
        while file.position < file.total:
            started = time.monotonic()
            if not _write_slice(file, writing) or time.monotonic() - began >= seconds:
                break
            yield_to_writers(time.monotonic() - started)
        if file.position >= file.total:
            _end(file, now)
    file.refresh_from_db()


def _write_slice(file: MemberFile, writing: Writing) -> bool:
    """Write the slice at ``file.position``; return False if another request has it."""
    try:
        with transaction.atomic():
            rows = MemberFile.objects.filter(pk=file.pk, position=file.position)
            if not rows.select_for_update(nowait=True).values("pk").first():
                return False
            report = counts_of(file)
            report.errors = [tuple(remark) for remark in file.progress["remarks"]]
            report.names = _names_in(file.progress)
            groups = set(file.progress["new_groups"])
            try:
                step = writing.step(file.position)
            except DatabaseError as error:
                if not (people := writing.slice_at(file.position)):
                    raise
                note_unwritten(people, error, report)
                position, opted_out = file.position + len(people), 0
            else:
                count(step.changes, report)
                groups |= step.new_groups
                position, opted_out = step.position, step.opted_out
            progress = {
                **{name: getattr(report, name) for name in _COUNTS},
                "opted_out": file.progress["opted_out"] + opted_out,
                "remarks": report.errors,
                "names": report.names,
                "new_groups": sorted(groups),
            }
            rows.update(position=position, progress=progress)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            return False
        raise
    file.position, file.progress = position, progress
    return True


_COUNTS = ("created", "updated", "skipped", "departed", "rejected")
_LOCK_NOT_AVAILABLE = "55P03"


def _end(file: MemberFile, now: datetime) -> None:
    with transaction.atomic():
        running = MemberFile.objects.filter(pk=file.pk, state=State.RUNNING)
        if running.update(state=State.DONE, plan=b""):
            done = counts_of(file)
            counts = {
                "created": done.created,
                "updated": done.updated,
                "skipped": done.already_here,
                "not_imported": done.not_imported,
                "opted_out": file.progress["opted_out"],
            }
            audit.record(file.church, file.user, "members.imported", detail=counts, now=now)


def counts_of(file: MemberFile) -> Report:
    """Return the counts of the slices that are written, and of the rows that were not imported."""
    # An import that an older release began has not all of the counts.
    return Report(**{name: file.progress.get(name, 0) for name in _COUNTS})


def remarks_of(file: MemberFile) -> list[tuple[int, str, str]]:
    """Return line, name and sentence of all remarks, from the reading and the writing."""
    remarks = [*file.report.get("remarks", ()), *file.progress.get("remarks", ())]
    names = _names_in(file.report) | _names_in(file.progress)
    ordered = sorted((line, sentence) for line, sentence in remarks)[:MAX_REMARKS]
    return [(line, names.get(line, ""), sentence) for line, sentence in ordered]


def _names_in(kept: dict[str, Any]) -> dict[int, str]:
    """Return line to name. JSON has the lines as strings; files of an older release have no names."""
    return {int(line): name for line, name in kept.get("names", {}).items()}


def _origin(file: MemberFile) -> Origin:
    return Origin(user=file.user, file_name=file.name, agreed=True)


def _plan(file: MemberFile) -> Plan:
    written = json.loads(zlib.decompress(file.plan))
    return Plan(
        people=[ImportedPerson(*person) for person in written["people"]],
        opt_outs=set(written["opt_outs"]),
        known_groups=groups_of(file.church),
    )
