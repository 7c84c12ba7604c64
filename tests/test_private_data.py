"""File permissions of the data directory, with any creator and any umask."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from koinonia.config import private_data
from tests.support.running_system import ROOT

SECRETS = ("secret_key", "koinonia.sqlite3", "simulator.json", "redis_url", "demo_password")


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def open_directory(tmp_path: Path, open_umask: None) -> Path:
    """Create an open data directory, like an earlier release or a user."""
    data_dir = tmp_path / "var"
    for folder in (data_dir, data_dir / "logs", data_dir / "valkey"):
        folder.mkdir(mode=0o755)
    for name in (*SECRETS, "logs/web.log", "valkey/appendonly.aof", "up.lock"):
        (data_dir / name).touch(mode=0o666)
    return data_dir


def manage(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**environment, "DATA_DIR": str(data_dir)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def open_to_others(path: Path) -> list[str]:
    """Return the paths that other users can read, write or enter, including the directory."""
    found = [path, *path.rglob("*")]
    return [str(one) for one in found if stat.S_IMODE(one.stat().st_mode) & 0o077]


@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize("command", [["check"], ["migrate", "--verbosity", "0"]], ids=str)
def test_a_command_creates_the_directory_as_private(tmp_path: Path, command: list[str]) -> None:
    ended = manage(tmp_path / "new" / "var", *command)
    assert ended.returncode == 0, ended.stderr
    assert open_to_others(tmp_path / "new" / "var") == []


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o777, 0o770, 0o704])
def test_a_command_makes_an_open_directory_private(open_directory: Path, mode: int) -> None:
    open_directory.chmod(mode)
    ended = manage(open_directory, "check")
    assert ended.returncode == 0, ended.stderr
    assert f"{open_directory} was open to others; it is closed now." in ended.stderr
    assert open_to_others(open_directory) == []


def test_commands_that_read_data_make_the_directory_private(open_directory: Path) -> None:
    ended = manage(open_directory, "makemigrations", "--check", "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert open_to_others(open_directory) == []


def test_foreign_files_keep_their_permissions(open_directory: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch(mode=0o644)
    (open_directory / "notes.txt").touch(mode=0o644)
    (open_directory / "logs" / "link").symlink_to(elsewhere)
    private_data.prepare(open_directory)
    for path in (elsewhere, open_directory / "notes.txt"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("command", [["check"], ["up", "--no-demo"]], ids=str)
def test_a_shared_directory_is_rejected(
    tmp_path: Path, open_umask: None, command: list[str]
) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    ended = manage(shared, *command)
    assert ended.returncode == 2
    assert "is shared with others" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777


def test_a_directory_that_cannot_be_made_private_is_rejected(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_ours(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", not_ours)
    with pytest.raises(private_data.OpenDataDirError, match="belongs to another user: let its"):
        private_data.prepare(open_directory)
