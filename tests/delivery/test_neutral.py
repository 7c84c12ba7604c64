"""The engine knows no provider by name, and no kind of tenant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import delivery

_ROOT = Path(delivery.__file__).parent
_SUFFIXES = {".py", ".lua", ".html", ".js", ".css", ".txt"}
_PROVIDERS = [folder.name for folder in (_ROOT / "providers").iterdir() if folder.is_dir()]


def engine_files() -> Iterator[Path]:
    """Yield the files outside the folders of the providers; released migrations keep their words."""
    for path in sorted(_ROOT.rglob("*")):
        parts = path.relative_to(_ROOT).parts
        is_of_provider = parts[0] == "providers" and len(parts) > 2
        if path.suffix in _SUFFIXES and not is_of_provider and parts[0] != "migrations":
            yield path


def test_no_provider_and_no_church_is_named_outside_the_folder_of_a_provider() -> None:
    names = [name for name in _PROVIDERS if name not in {"__pycache__", "simulator"}]
    words = re.compile("|".join(["church", *names]), re.IGNORECASE)
    assert "telnyx" in names
    found = [
        f"{path.relative_to(_ROOT)}:{number}: {line.strip()}"
        for path in engine_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if words.search(line)
    ]
    assert found == []
