"""``pyproject.toml`` names each distribution that the packages import.

An import that works because another package requires the distribution breaks when that package stops.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.running_system import ROOT
from tests.test_lock import EXTRAS, PROJECT, requirements

PACKAGES = ("koinonia", "delivery", "realtime", "throttling", "httpopt")
OPTIONAL = {
    "koinonia": {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"},
    "realtime": {"psycopg", "uvicorn", "websockets"},
    "throttling": {"prometheus-client"},
    "httpopt": {"drf-spectacular"},
}
"""Distributions that the package uses if they are installed. Another extra names them."""
NOT_INSTALLED = {"opentelemetry": "opentelemetry-sdk"}
"""These modules belong to extras that the tests do not need."""
DISTRIBUTIONS = metadata.packages_distributions()


def imported(package: str) -> Iterator[str]:
    """Yield the first part of the name of each imported module."""
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (one.name.partition(".")[0] for one in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def distribution_of(module: str) -> str:
    """Return the distribution of a module. The one of the same name wins: others add plugins to it."""
    if module in NOT_INSTALLED:
        return NOT_INSTALLED[module]
    names = [str(canonicalize_name(name)) for name in DISTRIBUTIONS[module]]
    return module if module in names else names[0]


def named(*lines: str) -> set[str]:
    """Return the distributions that requirements name. An extra of one, such as ``psycopg[pool]``, names ``psycopg-pool``."""
    found = [Requirement(line) for line in lines]
    names = {one.name for one in found} | {
        f"{one.name}-{extra}" for one in found for extra in one.extras
    }
    return {str(canonicalize_name(name)) for name in names}


@pytest.mark.parametrize("package", PACKAGES)
def test_each_imported_distribution_is_named(package: str) -> None:
    modules = set(imported(package)) - set(sys.stdlib_module_names) - set(PACKAGES)
    needed = {distribution_of(module) for module in modules}
    extra = "all" if package == "koinonia" else package
    optional = OPTIONAL.get(package, set())
    lacking = needed - named(*requirements(extra)) - optional
    assert lacking == set(), f"Name them in the extra {extra!r} of pyproject.toml."
    everywhere = named(*(line for lines in EXTRAS.values() for line in lines))
    assert optional <= everywhere | named(*PROJECT["dependencies"])
