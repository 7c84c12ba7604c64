"""The projects in ``docs/apps``: write one to a folder, and run commands in it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.support.running_system import ROOT

APPS = ("delivery", "realtime", "throttling", "httpopt")


def page(app: str) -> str:
    return (ROOT / "docs" / "apps" / f"{app}.md").read_text()


def write_project(app: str, folder: Path) -> None:
    """Write every file that the page shows, and ``shop/__init__.py``, as the page tells."""
    for name, body in re.findall(r"```python\n# (\S+\.py)\n(.*?)```", page(app), re.DOTALL):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(body)
    for package in {file.parent for file in folder.glob("shop/*.py")}:
        (package / "__init__.py").touch()


def printed_output(app: str) -> str:
    """Return the output of ``try_it.py`` as the page shows it."""
    found = re.search(r"```text\n(.*?)```", page(app), re.DOTALL)
    assert found is not None
    return found[1]


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in the folder of the project, with that folder first on its path."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(folder)}
    return subprocess.run(
        [python, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
