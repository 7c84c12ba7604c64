from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from koinonia.config import secret_files
from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("name", secret_files.NAMES)
def test_a_secret_may_come_from_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("  the value\n")
    given = {f"{name}_FILE": str(tmp_path / "secret")}
    assert secret_files.read_into(given) == {}
    assert given == {name: "the value"}


def test_a_secret_that_is_given_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("one")
    given = {"SECRET_KEY": "another", "SECRET_KEY_FILE": str(tmp_path / "secret")}
    problems = secret_files.read_into(given)
    assert problems == {"SECRET_KEY_FILE": "SECRET_KEY is set as well: set one of them."}


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "it is empty"), (b"\n", "it is empty"), (b"\xff\xfe", "it is no text")],
    ids=repr,
)
def test_a_file_without_a_usable_secret_is_named(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    (tmp_path / "secret").write_bytes(content)
    told = secret_files.read_into({"SECRET_KEY_FILE": str(tmp_path / "secret")})
    assert told["SECRET_KEY_FILE"].endswith(f"cannot be used: {problem}.")


def test_an_absent_file_is_named() -> None:
    told = secret_files.read_into({"SECRET_KEY_FILE": "/nowhere/secret_key"})
    assert told == {
        "SECRET_KEY_FILE": "/nowhere/secret_key cannot be used: No such file or directory."
    }


def settings_of(**variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that prints two settings in a process of its own."""
    code = "from koinonia import settings as s; print(s.SECRET_KEY, s.ENV.telnyx.api_key)"
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env={**kept, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_process_reads_the_files(tmp_path: Path) -> None:
    for name in ("secret_key", "telnyx"):
        (tmp_path / name).write_text(f"{name} of a file\n".replace(" ", "-"))
    run = settings_of(
        DATA_DIR=str(tmp_path),
        SECRET_KEY_FILE=str(tmp_path / "secret_key"),
        TELNYX_API_KEY_FILE=str(tmp_path / "telnyx"),
    )
    assert run.stdout.strip() == "secret_key-of-a-file telnyx-of-a-file", run.stderr


def test_a_bad_file_ends_the_process_with_all_other_problems(tmp_path: Path) -> None:
    run = settings_of(DATA_DIR=str(tmp_path), SECRET_KEY_FILE="/nowhere", DEBUG="maybe")
    assert run.returncode == 2
    assert "SECRET_KEY_FILE: /nowhere cannot be used" in run.stderr
    assert "DEBUG:" in run.stderr
