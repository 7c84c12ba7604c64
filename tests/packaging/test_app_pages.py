"""The pages of ``docs/apps`` are true: each project in them works with that one app."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.packaging import pages
from tests.support.running_system import ROOT

# A key where conf.py reads it, and where httpopt lists its defaults.
_READ = r'(?:_value|_rate|_function|model_label|value|\.get)\(\s*"([A-Z0-9_]+)"'
_LISTED = r'^    "([A-Z0-9_]+)":'
every_app = pytest.mark.parametrize("app", pages.APPS)


@every_app
def test_the_project_of_the_page_prints_what_the_page_says(app: str, tmp_path: Path) -> None:
    """Run against the sources; ``test_extras`` runs the same against an installed wheel."""
    shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("__pycache__"))
    pages.write_project(app, tmp_path)
    python = Path(sys.executable)
    done = pages.run(python, tmp_path, "try_it.py")
    assert done.stdout.endswith(pages.printed_output(app)), done.stderr
    checked = pages.run(python, tmp_path, "-m", "django", "check", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr


@every_app
def test_the_page_lists_exactly_the_settings_that_the_app_reads(app: str) -> None:
    conf = (ROOT / app / "conf.py").read_text()
    read = set(re.findall(_READ, conf)) | set(re.findall(_LISTED, conf, re.MULTILINE))
    # The keys of one provider account have another table, below "### Providers".
    settings = re.split(r"\n###? ", pages.page(app).partition("\n## Settings\n")[2])[0]
    listed = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", settings, re.MULTILINE))
    assert listed == read - {"DELIVERY", "REALTIME", "THROTTLING", "HTTPOPT"}


@every_app
def test_the_page_lists_exactly_the_checks_that_the_app_declares(app: str) -> None:
    sources = "".join(path.read_text() for path in (ROOT / app).rglob("*.py"))
    declared = set(re.findall(rf'"({app}\.[EW]\d+)"', sources))
    assert set(re.findall(rf"`({app}\.[EW]\d+)`", pages.page(app))) == declared


def test_the_page_of_delivery_lists_every_key_of_a_provider_account() -> None:
    providers = sorted((ROOT / "delivery" / "providers").glob("*/provider.py"))
    sources = "".join(path.read_text() for path in providers)
    read = set(re.findall(r'self\.options\.get\("([A-Z0-9_]+)"', sources))
    listed = pages.page("delivery").partition("\n### Providers\n")[2].partition("\n## ")[0]
    assert [key for key in sorted(read) if f"`{key}`" not in listed] == []
