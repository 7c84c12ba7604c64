"""Each line that an operator may search for names its kind."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("koinonia", "delivery", "realtime", "throttling", "httpopt")
ROOT = Path(__file__).parent.parent
LEVELS = {"info", "warning", "error", "exception", "critical", "log"}


def calls(package: str) -> Iterator[tuple[str, ast.Call]]:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and ast.unparse(node.func.value).endswith("logger")
            ):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


@pytest.mark.parametrize("package", PACKAGES)
def test_each_line_has_an_action(package: str) -> None:
    found = list(calls(package))
    assert found
    assert [
        place for place, call in found if "extra" not in {keyword.arg for keyword in call.keywords}
    ] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_only_the_four_documented_levels_are_used(package: str) -> None:
    assert [
        place for place, call in calls(package) if ast.unparse(call.func).endswith("critical")
    ] == []
