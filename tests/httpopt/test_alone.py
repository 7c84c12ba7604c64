"""Run the suite of httpopt in a project without the other apps, in another process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALONE = ROOT / "tests" / "httpopt" / "alone"
NEEDS_THE_DATABASE = {
    "test_versions.py", "test_if_match.py", "test_fields.py", "test_open_transactions.py",
}  # fmt: skip
SUITES = [
    pytest.param(name, marks=[] if name in NEEDS_THE_DATABASE else [pytest.mark.any_database])
    for name in sorted(path.name for path in ALONE.glob("test_*.py"))
]


@pytest.mark.parametrize("suite", SUITES)
def test_httpopt_works_in_a_project_without_the_other_apps(suite: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-x", "-c", str(ALONE / "pytest.toml"),
            "--rootdir", str(ALONE), "--confcutdir", str(ALONE), str(ALONE / suite),
        ],
        cwd=ROOT,
        env={**_environment(), "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def _environment() -> dict[str, str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return environment
