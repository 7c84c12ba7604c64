"""An app from the wheel works with one extra, in a project without the packages of the other apps.

Each test makes a virtual environment and installs from the package index that pip is configured for.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.packaging import pages
from tests.packaging.test_wheel import build_wheel

pytestmark = [pytest.mark.any_database, pytest.mark.compat]

# Packages that only other apps need.
ABSENT = {
    "delivery": {"djangorestframework", "channels", "daphne", "django-redis", "orjson"},
    "realtime": {"djangorestframework", "django-q2", "django-redis", "requests", "orjson"},
    "throttling": {"channels", "daphne", "django-q2", "requests", "phonenumbers", "orjson"},
    "httpopt": {"redis", "channels", "daphne", "django-q2", "requests", "phonenumbers"},
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def install(venv: Path, wheel: Path, app: str) -> Path:
    """Install the wheel with the extra of the app into a new environment; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    python = venv / "bin" / "python"
    requirement = f"koinonia[{app}] @ {wheel.as_uri()}"
    subprocess.run([python, "-m", "pip", "install", "--quiet", requirement], check=True)
    return python


def installed(python: Path) -> set[str]:
    code = "from importlib import metadata; print(*{d.name for d in metadata.distributions()})"
    printed = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return {str(canonicalize_name(name)) for name in printed.stdout.split()}


@pytest.mark.parametrize("app", pages.APPS)
def test_the_page_works_with_the_wheel_and_one_extra(app: str, wheel: Path, tmp_path: Path) -> None:
    assert f'pip install "koinonia[{app}] @ file://' in pages.page(app)
    python = install(tmp_path / "venv", wheel, app)
    assert installed(python) & ABSENT[app] == set()
    project = tmp_path / "project"
    project.mkdir()
    pages.write_project(app, project)
    done = pages.run(python, project, "try_it.py")
    assert done.stdout.endswith(pages.printed_output(app)), done.stderr
    checked = pages.run(python, project, "-m", "django", "check", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr
