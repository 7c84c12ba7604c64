"""The lock files match pyproject.toml and name no machine and no package index."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.running_system import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def pinned(lock: str) -> dict[str, Version]:
    found = PIN.findall((ROOT / lock).read_text())
    return {canonicalize_name(name): Version(version) for name, version in found}


def requirements(*extras: str) -> set[str]:
    """Return the requirements of the project with these extras and their nested extras."""
    wanted = set(PROJECT["dependencies"])
    for line in [line for extra in extras for line in EXTRAS[extra]]:
        asked = Requirement(line)
        wanted |= requirements(*asked.extras) if asked.name == PROJECT["name"] else {line}
    return wanted


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("lock", "extras"),
    [("requirements.txt", ["all"]), ("requirements-test.txt", ["all", "test", "uvicorn"])],
)
def test_a_lock_meets_every_requirement_of_the_project(lock: str, extras: list[str]) -> None:
    pins = pinned(lock)
    unmet = [
        str(asked)
        for asked in map(Requirement, requirements(*extras))
        if not asked.specifier.contains(pins.get(canonicalize_name(asked.name), Version("0")))
    ]
    assert unmet == [], "Run `make lock`."


@pytest.mark.any_database
def test_the_tests_run_on_the_locked_versions() -> None:
    delivered, tested = pinned("requirements.txt"), pinned("requirements-test.txt")
    assert delivered.items() <= tested.items()


@pytest.mark.any_database
@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-test.txt"])
def test_a_lock_pins_every_package_by_hash_and_names_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    packages = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.any_database
def test_the_lock_has_the_backport_for_python_3_11_2() -> None:
    """Debian 12 ships Python 3.11.2; redis needs async-timeout there."""
    assert "async-timeout" in pinned("requirements.txt")
