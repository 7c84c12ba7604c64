from __future__ import annotations

import re

import pytest

from koinonia.config import secret_files, variables
from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database


def test_the_page_of_the_handbook_is_the_one_that_the_code_makes() -> None:
    page = (ROOT / "docs" / "operations" / "settings.md").read_text()
    assert page == variables.page(), (
        "Run `python -m koinonia.config.variables > docs/operations/settings.md`."
    )


def test_every_variable_is_documented_once_and_has_a_meaning() -> None:
    listed = [found.name for found in variables.every()]
    assert sorted(listed) == sorted(set(listed))
    assert [found.name for found in variables.every() if not found.text] == []


def test_every_variable_that_the_environment_reads_is_on_the_list() -> None:

    read: set[str] = set()
    for module in (ROOT / "koinonia" / "config").glob("*.py"):
        read |= set(
            re.findall(r'(?:\benv\.\w+\(|\w+\(env, )\s*"([A-Z][A-Z_]+)"', module.read_text())
        )
    assert len(read) > 30
    assert read - variables.names() == set()


def test_every_secret_is_a_variable() -> None:
    assert set(secret_files.NAMES) <= variables.names()
