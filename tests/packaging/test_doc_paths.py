"""Every path that a page of the documents names exists."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
_TOP = "koinonia|delivery|realtime|throttling|httpopt|tests|docs|bench|deploy|scripts|findings"
_NAMED = re.compile(rf"`((?:{_TOP})/[\w./-]*)(?:::\w+)?`")
_LINKED = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_on_the_page_exists(page: Path) -> None:
    text = page.read_text()
    named = (ROOT / path for path in _NAMED.findall(text))
    linked = (page.parent / path for path in _LINKED.findall(text))
    missing = [str(path) for path in chain(named, linked) if not path.exists()]
    assert missing == []


def test_the_path_of_one_text_has_at_most_45_files() -> None:
    tour = (ROOT / "docs" / "tour.md").read_text()
    steps = re.findall(r"^\| (\d+) \| `([^`]+)` \|", tour, re.MULTILINE)
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    assert len({path for _, path in steps}) <= 45
