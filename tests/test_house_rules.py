"""Rules of CONTRIBUTING.md that a machine can keep."""

from __future__ import annotations

import statistics
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("koinonia", "delivery", "realtime", "throttling", "httpopt")
LONGEST = 400
MEDIAN = 80
DRAWERS = {"utils.py", "helpers.py", "common.py", "misc.py"}


def _written(*suffixes: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (Path(line) for line in listed.stdout.splitlines())
    return [
        path
        for path in paths
        if path.suffix in suffixes and "migrations" not in path.parts and (ROOT / path).exists()
    ]


def _lines(path: Path) -> int:
    return len((ROOT / path).read_text().splitlines())


def test_no_file_is_longer_than_one_idea() -> None:
    written = _written(".py", ".js", ".css", ".html", ".lua")
    assert [str(path) for path in written if _lines(path) > LONGEST] == []


def test_half_of_the_files_can_be_seen_at_once() -> None:
    sizes = [lines for path in _written(".py") if path.parts[0] in APPS and (lines := _lines(path))]
    assert statistics.median(sizes) < MEDIAN


def test_no_file_is_a_drawer_without_a_name() -> None:
    assert [str(path) for path in _written(".py") if path.name in DRAWERS] == []


@pytest.mark.parametrize("app", APPS[1:])
def test_a_reusable_app_opens_with_a_tiny_apps_module(app: str) -> None:
    assert _lines(Path(app) / "apps.py") <= 60
