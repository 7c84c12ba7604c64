"""Each misconfiguration that used to be silent is named, and a served site does not start with an error."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from koinonia import settings as project
from koinonia.config import checks, environment
from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database

ALERT_SECRET = "whsec_" + "A" * 32
PUBLIC_KEY = "7zudnRBWQDnDyTRcr6VEJhu+V46RjzyDm1fn3lHG2Nc="
SERVER = {
    "SECRET_KEY": "k" * 25 + "0123456789abcdefghijklmnop",
    "REDIS_URL": "redis://127.0.0.1:1",
    "DATABASE_URL": "postgres://koinonia@127.0.0.1:1/koinonia",
    "PUBLIC_URL": "https://texts.example.org",
    "ALLOWED_HOSTS": "texts.example.org",
    "TRUSTED_PROXIES": "127.0.0.1",
    "TELNYX_API_KEY": "a key",
    "TELNYX_PUBLIC_KEY": PUBLIC_KEY,
}


def run(directory: Path, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the environment of a server and these changes."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    variables = {**kept, **SERVER, "DATA_DIR": str(directory), **changed}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Any:
    """Return a function that makes an environment of these variables the one of the settings."""

    def use(**changed: str) -> None:
        for name in [*os.environ]:
            if name.startswith(
                ("THROTTL", "DELIVERY_", "TELN", "TWILIO_", "HTTPOPT", "REALTIME", "ALERT_")
            ):
                monkeypatch.delenv(name)
        for name, value in {**SERVER, "DATA_DIR": str(tmp_path), **changed}.items():
            monkeypatch.setenv(name, value)
        settings.ENV = environment.read(ROOT)

    return use


def found() -> dict[str, str]:
    """Return the id and the hint of each finding."""
    told = [
        *checks.check_debug(), *checks.check_provider(), *checks.check_database(),
        *checks.check_trust(), *checks.check_names(), *checks.check_parts(), *checks.check_alerts(),
    ]  # fmt: skip
    return {str(one.id): f"{one.msg} {one.hint}" for one in told}


def test_the_environment_of_a_server_is_clean(given: Any) -> None:
    given()
    assert found() == {}


@pytest.mark.parametrize(
    ("changed", "identity", "words"),
    [
        ({"DEBUG": "1"}, "koinonia.E001", "real texts"),
        ({"TELNYX_API_KEY": ""}, "koinonia.E002", "TELNYX_API_KEY is not set"),
        ({"TELNYX_PUBLIC_KEY": ""}, "koinonia.E003", "every webhook of Telnyx is refused"),
        ({"DATABASE_URL": ""}, "koinonia.W004", "an SQLite file of its own"),
        ({"ALLOWED_HOSTS": "*"}, "koinonia.E005", "every host"),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "koinonia.E006", "every address"),
        ({"TRUSTED_PROXIES": "10.0.0.1,::/0"}, "koinonia.E006", "every address"),
        ({"TELNYX_API_KEY": "", "TELNIX_API_KEY": "x"}, "koinonia.W007", "mean TELNYX_API_KEY?"),
        ({"THROTTLNG_ENABLED": "0"}, "koinonia.W007", "mean THROTTLING_ENABLED?"),
        ({"WEBHOOKS_SPOOL": "1"}, "koinonia.W007", "mean WEBHOOK_SPOOL?"),
        ({"THROTTLING_ENABLED": "0"}, "koinonia.W008", "no rate limit holds"),
        ({"REALTIME_ENABLED": "0"}, "koinonia.W008", "every page polls"),
        ({"HTTPOPT_ENABLED": "0"}, "koinonia.W008", "uncompressed"),
        ({"DELIVERY_MODE": "sync"}, "koinonia.W008", "inside requests"),
        ({"ALERT_EMAIL": "grace@example.org"}, "koinonia.W010", "does not leave this machine"),
        ({"ALERT_WEBHOOK_URL": "https://a.example.org/"}, "koinonia.W011", "no alert is posted"),
        ({"ALERT_WEBHOOK_SECRET": ALERT_SECRET}, "koinonia.W012", "has no effect"),
        ({"ALERT_WEBHOOK_URL": "http://a.example.org/"}, "koinonia.W013", "is not https"),
    ],
    ids=str,
)
def test_each_silent_misconfiguration_is_named(
    given: Any, changed: dict[str, str], identity: str, words: str
) -> None:
    given(**changed)
    assert words in found()[identity]


def test_debug_with_the_simulator_is_fine(given: Any) -> None:
    given(DEBUG="1", TELNYX_API_BASE="http://127.0.0.1:8900/v2")
    assert "koinonia.E001" not in found()


def test_a_site_with_twilio_alone_needs_no_key_of_telnyx(given: Any) -> None:
    given(TELNYX_API_KEY="", TWILIO_ACCOUNT_SID=f"AC{'0' * 32}", TWILIO_AUTH_TOKEN="t")
    assert found() == {}


def test_a_redis_that_evicts_is_a_warning(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ENV = replace(project.ENV, redis_url="redis://127.0.0.1:1")
    monkeypatch.setattr("koinonia.health.redis_server.problems", lambda: ["Redis may evict keys."])
    assert [one.id for one in checks.check_redis()] == ["koinonia.W009"]


def test_check_deploy_names_them_all_in_one_run(tmp_path: Path) -> None:
    bad = run(
        tmp_path, "manage.py", "check", "--deploy",
        ALLOWED_HOSTS="*", TRUSTED_PROXIES="0.0.0.0/0", TELNYX_PUBLIC_KEY="", TELNIX_API_BASE="x",
        DATABASE_URL="", THROTTLING_ENABLED="0",
    )  # fmt: skip
    assert bad.returncode == 1
    for identity in ("E003", "W004", "E005", "E006", "W007", "W008"):
        assert f"koinonia.{identity}" in bad.stderr


def test_a_served_site_does_not_start_with_an_error(tmp_path: Path) -> None:
    refused = run(tmp_path, "-c", "import koinonia.asgi", ALLOWED_HOSTS="*")
    assert refused.returncode == 2
    assert "koinonia.E005" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_local_site_starts_without_an_account(tmp_path: Path) -> None:
    local = {"PUBLIC_URL": "http://127.0.0.1:8000", "TELNYX_API_KEY": "", "DATABASE_URL": ""}
    assert run(tmp_path, "-c", "import koinonia.asgi", **local).returncode == 0
