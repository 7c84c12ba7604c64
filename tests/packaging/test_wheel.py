"""The wheel holds the five packages with their data files, and no tests."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packaging.pages import APPS
from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database

PACKAGES = {"koinonia", *APPS}


def build_wheel(folder: Path) -> Path:
    """Build the wheel with the installed hatchling, which needs no network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the paths in the wheel, without its metadata."""
    wheel = build_wheel(tmp_path_factory.mktemp("wheel"))
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_every_file_of_the_packages(names: set[str]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *sorted(PACKAGES)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("Not a git checkout.")
    present = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    assert names == present


def test_the_wheel_holds_no_tests_and_no_benchmarks(names: set[str]) -> None:
    assert {name.partition("/")[0] for name in names} == PACKAGES


@pytest.mark.parametrize("app", APPS)
def test_each_app_tells_type_checkers_that_it_is_typed(app: str, names: set[str]) -> None:
    assert f"{app}/py.typed" in names


@pytest.mark.parametrize(
    ("folder", "ending"),
    [
        ("delivery/migrations/", ".py"),
        ("delivery/templates/", ".html"),
        ("delivery/", ".lua"),
        ("realtime/migrations/", ".py"),
        ("realtime/static/", ".js"),
        ("throttling/", ".lua"),
        ("throttling/templates/", ".html"),
        ("throttling/static/", ".css"),
        ("httpopt/migrations/", ".py"),
        ("koinonia/templates/", ".html"),
        ("koinonia/static/", ".js"),
    ],
)
def test_the_wheel_holds_what_is_not_found_by_import(
    folder: str, ending: str, names: set[str]
) -> None:
    assert any(name.startswith(folder) and name.endswith(ending) for name in names)
