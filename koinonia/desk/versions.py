"""The versions that run, for a report to a developer."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import django
from django.db import connection

from koinonia.health import heartbeat


def versions() -> list[tuple[str, str]]:
    """Return name and version of each part."""
    return [
        ("Koinonia", _koinonia()),
        ("Release", heartbeat.release()),
        ("Django", django.get_version()),
        ("Python", platform.python_version()),
        ("Database", _database()),
    ]


@cache
def _koinonia() -> str:
    try:
        return version("koinonia")
    except PackageNotFoundError:
        return "from a folder of sources"


@cache
def _database() -> str:
    numbers = connection.get_database_version()
    return f"{connection.display_name} {'.'.join(str(number) for number in numbers)}"
