"""The systemd units, as far as a machine without a running systemd can check them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from koinonia.config import secret_files, variables
from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
ANALYZER = shutil.which("systemd-analyze")
HARDENING = {
    "CapabilityBoundingSet=", "NoNewPrivileges=yes", "PrivateDevices=yes", "PrivateTmp=yes",
    "ProtectHome=yes", "ProtectSystem=strict", "SystemCallFilter=@system-service", "UMask=0077",
    "User=koinonia",
}  # fmt: skip


def name_of(unit: Path) -> str:
    return unit.name


@pytest.mark.skipif(ANALYZER is None, reason="There is no systemd-analyze on this machine.")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        # systemd looks for the program, which is not installed here.
        text = unit.read_text().replace("/opt/koinonia/.venv/bin/python", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    verified = subprocess.run(
        [str(ANALYZER), "verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line for line in verified.stderr.splitlines() if "koinonia" in line]
    assert (verified.returncode, told) == (0, [])


@pytest.mark.parametrize("unit", SERVICES, ids=name_of)
def test_each_service_is_hardened_and_is_not_root(unit: Path) -> None:
    assert HARDENING - set(unit.read_text().splitlines()) == set()


@pytest.mark.parametrize("unit", SERVICES, ids=name_of)
def test_each_command_of_a_unit_exists(unit: Path) -> None:
    found = re.findall(r"^ExecStart=\S+ (.*)$", unit.read_text(), re.MULTILINE)
    assert len(found) == 1
    words = found[0].split()
    if words[0] == "manage.py":
        assert words[1] in get_commands()
    else:
        assert words[:2] == ["-m", "realtime.daphne"]
        assert words[-1] == "koinonia.asgi:application"


def test_one_unit_for_each_phase_of_the_migrations() -> None:
    folder = DEPLOY / "systemd"
    for name, command in (("-pre", "migrate --pre --noinput"), ("", "migrate --noinput")):
        text = (folder / f"koinonia-migrate{name}.service").read_text()
        assert f"manage.py {command}\n" in text


@pytest.mark.parametrize("unit", SERVICES, ids=name_of)
def test_each_secret_of_a_unit_is_a_credential_that_the_unit_loads(unit: Path) -> None:
    text = unit.read_text()
    loaded = dict(re.findall(r"^LoadCredential=(\w+):(\S+)$", text, re.MULTILINE))
    given = dict(re.findall(r"(\w+)_FILE=%d/(\w+)", text))
    assert set(given.values()) == set(loaded)
    assert set(given) <= set(secret_files.NAMES)
    assert {path for path in loaded.values() if not path.startswith("/etc/koinonia/")} == set()


def test_the_environment_file_names_known_variables_and_no_secret() -> None:
    text = (DEPLOY / "koinonia.env").read_text()
    given = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    assert {"PUBLIC_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "DATA_DIR"} <= given
    assert given - variables.names() == set()
    assert given & {"SECRET_KEY", "DATABASE_URL", "TELNYX_API_KEY", "TWILIO_AUTH_TOKEN"} == set()
