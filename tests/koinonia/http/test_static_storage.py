from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from koinonia.http import static_leftovers
from koinonia.http.static_storage import StaticStorage

PAGE = 'import { greet } from "./part.js";\n' + "export const size = greet;\n" * 40
PART = (
    '/** @param {import("./page.js").Page} page */\nexport const greet = () => {};\n'
    + "export const peace = 1;\n" * 40
)
SOURCES = {"page.js": PAGE, "part.js": PART, "church.svg": "<svg>" + "<g/>" * 400 + "</svg>"}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    path = tmp_path / "sources"
    path.mkdir()
    for name, text in SOURCES.items():
        (path / name).write_text(text)
    return path


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    path = tmp_path / "collected"
    path.mkdir()
    return path


def collect(sources: Path, collected: Path) -> StaticStorage:
    """Save, hash and compress the files, like ``collectstatic``."""
    storage = StaticStorage(location=collected, base_url="/static/")
    origin = FileSystemStorage(location=sources)
    for name in SOURCES:
        if not (collected / name).exists():
            with origin.open(name) as file:
                storage.save(name, file)
    paths = {name: (origin, name) for name in SOURCES}
    problems = [done for _, _, done in storage.post_process(paths) if isinstance(done, Exception)]
    assert problems == []
    return storage


def versions(collected: Path) -> dict[str, tuple[int, int]]:
    """Return the inode and the time of each file: a file that is written again has others."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in collected.iterdir()
    }


def test_modules_import_each_other_by_hashed_names(sources: Path, collected: Path) -> None:
    storage = collect(sources, collected)
    page = (collected / storage.stored_name("page.js")).read_text()
    assert page.startswith(f'import {{ greet }} from "./{storage.stored_name("part.js")}";\n')


def test_every_name_of_the_manifest_has_a_file_and_compressed_copies(
    sources: Path, collected: Path
) -> None:
    storage = collect(sources, collected)
    for name in storage.hashed_files.values():
        assert {name, f"{name}.br", f"{name}.gz"} <= set(versions(collected))
    assert [name for name in versions(collected) if name.startswith(".")] == []


def test_files_that_have_not_changed_are_left_alone(sources: Path, collected: Path) -> None:
    collect(sources, collected)
    before = versions(collected)
    collect(sources, collected)
    assert versions(collected) == before


def test_a_change_writes_what_depends_on_it_and_keeps_the_release_before(
    sources: Path, collected: Path
) -> None:
    earlier = collect(sources, collected)
    before = versions(collected)
    (sources / "part.js").write_text(PART + "// Changed\n")
    later = collect(sources, collected)
    changed = {"page.js", "part.js"}
    assert {
        name for name in SOURCES if earlier.stored_name(name) != later.stored_name(name)
    } == changed
    after = versions(collected)
    after.pop("staticfiles.json")
    after.pop(static_leftovers.NOTES)
    before.pop("staticfiles.json")
    assert {name: after[name] for name in before} == before
    new = {later.stored_name(name) for name in changed}
    assert set(after) - set(before) == {
        f"{name}{suffix}" for name in new for suffix in ("", ".br", ".gz")
    }


def test_an_incomplete_file_is_replaced(sources: Path, collected: Path) -> None:
    name = collect(sources, collected).stored_name("page.js")
    whole = (collected / name).read_bytes()
    (collected / name).write_bytes(whole[:10])
    os.utime(collected / name, ns=(0, 0))
    collect(sources, collected)
    assert (collected / name).read_bytes() == whole


def test_the_manifest_is_never_missing_for_a_process_that_starts(
    sources: Path, collected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(sources, collected)
    removed: list[str] = []
    monkeypatch.setattr(os, "remove", lambda path, **_: removed.append(str(path)))
    (sources / "part.js").write_text(PART + "// Changed\n")
    collect(sources, collected)
    assert removed == []
