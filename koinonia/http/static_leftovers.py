"""Removes hashed static files that no release names any more.

Pages that are open in browsers name the files of their release, so a file stays for some weeks after the
release that named it. The age of a file does not tell: a file that never changed is old and in use. So
``collectstatic`` notes when a file was first missing from the manifest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

KEPT = timedelta(days=30)
"""No page stays open, and no release is gone back to, after so long."""
NOTES = "left.json"
_HASHED = re.compile(r"\.[0-9a-f]{12}\.(?!.*\.(?:br|gz)$)")
_COPIES = ("", ".br", ".gz")


def remove(directory: Path, named: Iterable[str], now: datetime) -> list[str]:
    """Delete the hashed files that ``named`` has lacked for thirty days; return their names."""
    notes = directory / NOTES
    before = _read(notes)
    gone = _hashed_files(directory) - set(named)
    left = {name: before.get(name, now) for name in gone}
    removed = sorted(name for name, since in left.items() if now - since > KEPT)
    for name in removed:
        for copy in _COPIES:
            (directory / f"{name}{copy}").unlink(missing_ok=True)
        del left[name]
    if left != before:
        _write(notes, left)
    return removed


def _hashed_files(directory: Path) -> set[str]:
    return {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if _HASHED.search(path.name) and not path.name.startswith(".") and path.is_file()
    }


def _read(notes: Path) -> dict[str, datetime]:
    try:
        found: dict[str, str] = json.loads(notes.read_text())
        return {
            name: datetime.fromisoformat(since).astimezone(UTC) for name, since in found.items()
        }
    except (FileNotFoundError, ValueError, AttributeError, TypeError):
        return {}  # Without notes every file stays for another thirty days.


def _write(notes: Path, left: dict[str, datetime]) -> None:
    new = notes.with_name(f".{NOTES}.new")
    text = {name: since.isoformat() for name, since in sorted(left.items())}
    new.write_text(json.dumps(text, indent=1))
    new.replace(notes)
