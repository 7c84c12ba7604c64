from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from koinonia.http.static_leftovers import KEPT, NOTES, remove

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SOON = timedelta(minutes=1)
OLD, NEW = "console/page.0123456789ab.js", "console/page.456789abcdef.js"
OTHERS = ("console/page.js", "staticfiles.json", ".page.0123456789ab.js.77.new")


def written(directory: Path, *names: str) -> None:
    for name in names:
        for copy in ("", ".br", ".gz"):
            path = directory / f"{name}{copy}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("peace")


def left(directory: Path) -> set[str]:
    found = {path.relative_to(directory).as_posix() for path in directory.rglob("*.*")}
    return {name.removesuffix(".br").removesuffix(".gz") for name in found} - {NOTES}


def test_a_file_goes_thirty_days_after_no_release_names_it(tmp_path: Path) -> None:
    written(tmp_path, OLD, NEW, *OTHERS)
    # The first release was in use for a year.
    assert remove(tmp_path, [OLD], NOW - timedelta(days=365)) == []
    assert remove(tmp_path, [NEW], NOW) == []
    assert remove(tmp_path, [NEW], NOW + KEPT) == []
    assert left(tmp_path) == {OLD, NEW, *OTHERS}
    assert remove(tmp_path, [NEW], NOW + KEPT + SOON) == [OLD]
    assert left(tmp_path) == {NEW, *OTHERS}


def test_a_release_that_names_a_file_again_keeps_it(tmp_path: Path) -> None:
    written(tmp_path, OLD, NEW)
    remove(tmp_path, [NEW], NOW)
    remove(tmp_path, [OLD], NOW + KEPT)
    assert remove(tmp_path, [NEW], NOW + KEPT + SOON) == []
    assert left(tmp_path) == {OLD, NEW}


def test_lost_notes_keep_every_file_for_another_thirty_days(tmp_path: Path) -> None:
    written(tmp_path, OLD)
    remove(tmp_path, [], NOW)
    (tmp_path / NOTES).write_text("[1")
    assert remove(tmp_path, [], NOW + KEPT + SOON) == []
    assert remove(tmp_path, [], NOW + KEPT + KEPT + SOON + SOON) == [OLD]
