"""The pages of ``docs/apps`` are true: each project in them works, with that one app alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("delivery", "realtime", "throttling", "httpopt")
# A key where conf.py reads it, and where httpopt lists its defaults.
_READ = r'(?:_value|_rate|_function|model_label|value|\.get)\(\s*"([A-Z0-9_]+)"'
_LISTED = r'^    "([A-Z0-9_]+)":'
every_app = pytest.mark.parametrize("app", APPS)


def _page(app: str) -> str:
    return (ROOT / "docs" / "apps" / f"{app}.md").read_text()


def _make_project(app: str, at: Path) -> None:
    """The files of the page, as the page says."""
    shutil.copytree(ROOT / app, at / app, ignore=shutil.ignore_patterns("__pycache__"))
    for name, body in re.findall(r"```python\n# (\S+\.py)\n(.*?)```", _page(app), re.DOTALL):
        (at / name).parent.mkdir(exist_ok=True)
        (at / name).write_text(body)
    for folder in {file.parent for file in at.glob("shop/*.py")}:
        (folder / "__init__.py").touch()


def _run(at: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(at)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=at,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@every_app
def test_the_project_of_the_page_does_what_the_page_says(app: str, tmp_path: Path) -> None:
    _make_project(app, tmp_path)
    done = _run(tmp_path, "try_it.py")
    printed = re.search(r"```text\n(.*?)```", _page(app), re.DOTALL)
    assert printed is not None
    assert done.stdout.endswith(printed[1]), done.stderr
    checked = _run(tmp_path, "-m", "django", "check", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr


@every_app
def test_the_page_tells_every_setting_and_no_other(app: str) -> None:
    conf = (ROOT / app / "conf.py").read_text()
    read = set(re.findall(_READ, conf)) | set(re.findall(_LISTED, conf, re.MULTILINE))
    settings = _page(app).partition("\n## Settings\n")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", settings, re.MULTILINE))
    assert told == read - {"DELIVERY", "REALTIME", "THROTTLING", "HTTPOPT"}


@every_app
def test_the_page_tells_every_check_and_no_other(app: str) -> None:
    declared = set(re.findall(rf'"({app}\.[EW]\d+)"', (ROOT / app / "checks.py").read_text()))
    assert set(re.findall(rf"`({app}\.[EW]\d+)`", _page(app))) == declared
