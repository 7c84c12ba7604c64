from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from tests.realtime.second_project.processes import ROOT

GOOD = {"MAY_LISTEN": "tests.realtime.second_project.clubs.may_listen"}


@pytest.mark.parametrize(
    ("wrong", "ids"),
    [
        ({}, []),
        ({"MAY_LISTEN": ""}, ["realtime.E001"]),
        ({"MAY_LISTEN": "tests.nothing.here"}, ["realtime.E004"]),
        ({"BEARER": "tests.nothing.here"}, ["realtime.E004"]),
        ({"CONNECT_LIMIT": 7}, ["realtime.E004"]),
        ({"HEARTBEAT": 1}, ["realtime.E002"]),
        ({"SWEEP_SECONDS": 0}, ["realtime.E003"]),
        ({"RETENTION_DAYS": "7"}, ["realtime.E003"]),
        ({"CHANNEL_LAYER": "absent"}, ["realtime.W001"]),
    ],
)
def test_each_misconfiguration_is_named(wrong: dict[str, Any], ids: list[str]) -> None:
    with override_settings(REALTIME={**GOOD, **wrong}):
        assert [found.id for found in run_checks(tags=["realtime"])] == ids


def test_the_app_passes_the_system_checks_of_another_project() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.realtime.second_project.settings"}
    for command in (
        ["check", "--fail-level", "WARNING"],
        ["makemigrations", "--check", "--dry-run"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "django", *command],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
