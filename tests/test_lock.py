"""The locks hold what pyproject.toml asks for, and nothing of the machine that wrote them."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.running_system import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def pinned(lock: str) -> dict[str, Version]:
    found = PIN.findall((ROOT / lock).read_text())
    return {canonicalize_name(name): Version(version) for name, version in found}


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.txt", PROJECT["dependencies"]),
        (
            "requirements-test.txt",
            [*PROJECT["dependencies"], *EXTRAS["test"], *EXTRAS["uvicorn"]],
        ),
    ],
)
def test_a_lock_is_in_step_with_the_project(lock: str, wanted: list[str]) -> None:
    pins = pinned(lock)
    unmet = [
        str(asked)
        for asked in map(Requirement, wanted)
        if not asked.specifier.contains(pins.get(canonicalize_name(asked.name), Version("0")))
    ]
    assert unmet == [], "Run `make lock`."


@pytest.mark.any_database
def test_the_tests_run_on_what_is_delivered() -> None:
    delivered, tested = pinned("requirements.txt"), pinned("requirements-test.txt")
    assert delivered.items() <= tested.items()


@pytest.mark.any_database
@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-test.txt"])
def test_every_package_is_held_by_its_hashes_and_comes_from_anywhere(lock: str) -> None:
    text = (ROOT / lock).read_text()
    packages = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.any_database
def test_the_oldest_python_that_is_promised_finds_its_backport() -> None:
    """Debian 12 has 3.11.2, for which redis needs async-timeout."""
    assert "async-timeout" in pinned("requirements.txt")
