"""Twilio's variables: all that are needed, or none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from koinonia.config import environment
from koinonia.config.environment import BadEnvironmentError, Environment
from tests.support.running_system import ROOT

SID = "AC" + "0a" * 16
TOKEN = "1" * 32


@pytest.fixture(autouse=True)
def _only_the_data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("TWILIO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Environment:
    for name, value in variables.items():
        monkeypatch.setenv(f"TWILIO_{name}", value)
    return environment.read(ROOT)


def test_without_variables_there_is_no_twilio(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).twilio is None
    assert read(monkeypatch, ACCOUNT_SID="", AUTH_TOKEN="", API_KEY="").twilio is None


def test_the_account_and_its_token_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, ACCOUNT_SID=SID, AUTH_TOKEN=f"{TOKEN}, {TOKEN[::-1]}x").twilio
    assert found is not None
    assert (found.account_sid, found.auth_tokens) == (SID, [TOKEN, f"{TOKEN}x"])
    assert (found.api_key, found.api_base) == ("", "https://api.twilio.com")


@pytest.mark.parametrize(
    ("variables", "bad"),
    [
        ({"ACCOUNT_SID": SID}, {"ACCOUNT_SID"}),
        ({"AUTH_TOKEN": TOKEN}, {"AUTH_TOKEN"}),
        ({"ACCOUNT_SID": "SK1", "AUTH_TOKEN": TOKEN}, {"ACCOUNT_SID"}),
        ({"ACCOUNT_SID": SID, "AUTH_TOKEN": TOKEN, "API_KEY": "SK1"}, {"API_KEY"}),
        ({"ACCOUNT_SID": SID, "AUTH_TOKEN": TOKEN, "API_SECRET": "x"}, {"API_SECRET"}),
        ({"API_KEY": "SK1", "API_SECRET": "x"}, {"API_KEY", "API_SECRET"}),
        ({"API_BASE": "api.twilio.com"}, {"API_BASE"}),
    ],
)
def test_half_a_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], bad: set[str]
) -> None:
    with pytest.raises(BadEnvironmentError) as raised:
        read(monkeypatch, **variables)
    assert set(raised.value.problems) == {f"TWILIO_{name}" for name in bad}
    assert all(problem.endswith(".") for problem in raised.value.problems.values())


def test_a_command_ends_with_two_and_the_name() -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT, env={**os.environ, "TWILIO_ACCOUNT_SID": SID}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "TWILIO_ACCOUNT_SID: It needs TWILIO_AUTH_TOKEN as well." in ended.stderr
