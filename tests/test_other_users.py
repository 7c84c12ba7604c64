"""The reusable apps in projects with UUID keys for users, with and without time zones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(
    directory: Path, app: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.other_users.settings",
            "OTHER_APP": app,
            "OTHER_DIRECTORY": str(directory),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("use_tz", ["1", "0"])
@pytest.mark.parametrize("app", ["realtime", "throttling", "httpopt"])
def test_an_app_alone_works_with_other_users(app: str, use_tz: str, tmp_path: Path) -> None:
    done = run(tmp_path, app, "tests.other_users.walk", OTHER_USE_TZ=use_tz)
    assert done.stdout.endswith("done"), done.stdout + done.stderr


def test_a_check_of_httpopt_reports_a_tenant_without_an_integer_key(tmp_path: Path) -> None:
    done = run(
        tmp_path, "httpopt", "django", "check", OTHER_TRACKED="tests.other_users.tracked.TRACKED"
    )
    assert done.returncode == 1
    assert "httpopt.E009" in done.stderr
