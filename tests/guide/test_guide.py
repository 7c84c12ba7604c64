"""Every snippet of the guide runs against a running system, in curl, Python and JavaScript."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from koinonia.api import error_list
from tests.guide.cutting_proxy import BEFORE, MIDDLE, CuttingProxy
from tests.guide.snippets import GUIDE, LANGUAGES, Program, pages, programs
from tests.support.running_system import RunningSystem

pytestmark = pytest.mark.any_database

WITHOUT_PROGRAMS = {"README.md", "errors.md", "clients.md", "going-live.md"}
SECONDS = 120
LIMITS = {
    "THROTTLE_MESSAGES": "1/s:4",
    "THROTTLE_LOGIN_IP": "100/m",
    "THROTTLE_LOGIN_USER": "100/m",
}
"""The page about limits sends more texts than these admit at once."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with RunningSystem(tmp_path_factory.mktemp("up") / "data", **LIMITS) as system:
        yield {
            **os.environ,
            "KOINONIA_URL": system.url,
            "KOINONIA_CHURCH": "grace",
            "KOINONIA_USER": "grace-sender",
            "KOINONIA_PASSWORD": system.password,
            "KOINONIA_TOKEN": system.token("grace-sender"),
            "KOINONIA_OWNER_TOKEN": system.token("grace-owner"),
        }


def command(language: str, file: Path) -> list[str]:
    """Return the command that runs a file, or skip the test if its program is missing."""
    if language == "python":
        return [sys.executable, str(file)]
    name = {"bash": "curl", "javascript": "node"}[language]
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not on this machine.")
    if language == "bash":
        return ["bash", "-eu", "-o", "pipefail", str(file)]
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    major = int(version.stdout.lstrip("v").partition(".")[0])
    # The guide names Node 22; before that, the socket is behind an option.
    return ["node", *(["--experimental-websocket"] if major < 22 else []), str(file)]


@pytest.mark.parametrize(
    "program", list(programs()), ids=lambda program: f"{program.page} {program.language}"
)
def test_the_snippets_of_a_page_run(
    program: Program, environment: dict[str, str], tmp_path: Path
) -> None:
    ending = {"bash": "sh", "python": "py", "javascript": "mjs"}[program.language]
    file = tmp_path / f"program.{ending}"
    file.write_text(program.text)
    cuts = [BEFORE, MIDDLE] if program.page == "sending.md" else []
    with CuttingProxy(environment["KOINONIA_URL"], cuts) as proxy:
        address = {"KOINONIA_URL": proxy.url} if cuts else {}
        done = subprocess.run(
            command(program.language, file), cwd=tmp_path, env=environment | address, timeout=SECONDS,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert cuts == []
    printed = done.stdout.splitlines()
    for line in program.printed:
        assert any(one.startswith(line) for one in printed), (line, done.stdout)
    if program.page == "limits.md" and program.language != "bash":
        assert "wait: Too many requests" in done.stdout


def test_every_page_has_its_program_in_every_language() -> None:
    found = {(program.page, program.language) for program in programs()}
    for page in pages():
        if page.name not in WITHOUT_PROGRAMS:
            lacking = [language for language in LANGUAGES if (page.name, language) not in found]
            assert lacking == [], page.name


def test_the_first_page_links_every_other_page() -> None:
    linked = set(re.findall(r"\]\(([a-z-]+\.md)\)", (GUIDE / "README.md").read_text()))
    assert linked == {page.name for page in pages()} - {"README.md"}


def test_the_list_of_errors_is_current() -> None:
    """Write it again by ``python -m koinonia.api.error_list > docs/guide/errors.md``."""
    assert (GUIDE / "errors.md").read_text() == error_list.page()


def test_no_operation_stands_twice_in_the_table_of_the_api() -> None:
    table = (GUIDE.parent / "api.md").read_text().partition("## Endpoints")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    assert rows
    assert len(set(rows)) == len(rows)
