"""Rules of CONTRIBUTING.md that a test can check."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("koinonia", "delivery", "realtime", "throttling", "httpopt")
MOST_LINES = 400
VAGUE_NAMES = {"utils.py", "helpers.py", "common.py", "misc.py"}


def _files_of_the_tree(*suffixes: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (Path(line) for line in listed.stdout.splitlines())
    return [
        path
        for path in paths
        if path.suffix in suffixes and "migrations" not in path.parts and (ROOT / path).exists()
    ]


def _lines(path: Path) -> int:
    return len((ROOT / path).read_text().splitlines())


def test_no_file_has_more_than_400_lines() -> None:
    written = _files_of_the_tree(".py", ".js", ".css", ".html", ".lua")
    assert [str(path) for path in written if _lines(path) > MOST_LINES] == []


def test_no_module_has_a_vague_name() -> None:
    assert [str(path) for path in _files_of_the_tree(".py") if path.name in VAGUE_NAMES] == []


@pytest.mark.parametrize("app", APPS[1:])
def test_a_reusable_app_has_a_small_apps_module(app: str) -> None:
    assert _lines(Path(app) / "apps.py") <= 60


FORBIDDEN_IN_TEMPLATES = {
    "hx-on needs eval, which the content policy forbids": r"\bhx-on\b",
    "js: needs eval": r"""["'=]\s*js(:|avascript:)""",
    "a trigger filter needs eval": r"""hx-trigger\s*=\s*["'][^"']*\[""",
    "an inline handler is forbidden by the content policy": r"<[^>]*\son[a-z]+\s*=",
    "an inline script is forbidden by the content policy": (
        r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>"
    ),
}


@pytest.mark.parametrize("reason", FORBIDDEN_IN_TEMPLATES)
def test_no_template_needs_what_the_content_policy_forbids(reason: str) -> None:
    pattern = re.compile(FORBIDDEN_IN_TEMPLATES[reason], re.IGNORECASE)
    pages = [path for path in _files_of_the_tree(".html") if path.parts[0] in APPS]
    assert len(pages) > 20
    assert [str(page) for page in pages if pattern.search((ROOT / page).read_text())] == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('<a hx-on:click="x()">', "hx-on needs eval, which the content policy forbids"),
        ("<a hx-vals='js:{a: 1}'>", "js: needs eval"),
        ('<a hx-trigger="click[ctrlKey]">', "a trigger filter needs eval"),
        ('<a href="/" onclick="x()">', "an inline handler is forbidden by the content policy"),
        ("<script>x()</script>", "an inline script is forbidden by the content policy"),
    ],
)
def test_the_rule_for_templates_finds_each_forbidden_thing(line: str, reason: str) -> None:
    pattern = re.compile(FORBIDDEN_IN_TEMPLATES[reason], re.IGNORECASE)
    assert pattern.search(line)
    assert not pattern.search('<script src="/a.js"></script><a hx-trigger="click" data-one="1">')


def test_the_index_of_decisions_names_each_page_by_its_number_and_title() -> None:
    folder = ROOT / "docs/decisions"
    headings = {
        page.name: page.read_text().splitlines()[0].removeprefix("# ").split(". ", 1)
        for page in sorted(folder.glob("[0-9]*.md"))
    }
    rows = [f"| {number} | [{title}]({name}) |" for name, (number, title) in headings.items()]
    assert [row for row in rows if row not in (folder / "README.md").read_text()] == []
    numbers = [int(number) for number, _ in headings.values()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_console_test_polls_with_a_script() -> None:
    """Chromium refuses the second round of such a poll: our content policy forbids eval."""
    tests = [path for path in _files_of_the_tree(".py") if path.parts[:2] == ("tests", "console")]
    assert len(tests) > 20
    poll = "wait_for" + "_function"
    assert [str(path) for path in tests if poll in (ROOT / path).read_text()] == []
