from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from koinonia.config import environment, kept_values
from koinonia.config.environment import BadEnvironmentError, Environment
from tests.support.running_system import ROOT

GOOD_KEY = "7zudnRBWQDnDyTRcr6VEJhu+V46RjzyDm1fn3lHG2Nc="


@pytest.fixture(autouse=True)
def _only_the_data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("THROTTLE_", "DELIVERY_", "TELNYX_")):
            monkeypatch.delenv(name)
    for name in ("SECRET_KEY", "REDIS_URL", "DATABASE_URL", "PUBLIC_URL", "EMAIL_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Environment:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return environment.read(ROOT)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_variable_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch)
    assert (found.debug, found.public_url) == (False, "http://127.0.0.1:8000")
    assert list(found.delivery.retry_delays) == [1, 2, 4]
    assert (found.delivery.account_rate, found.delivery.church_rate) == (50, None)
    assert found.httpopt_enabled
    assert found.realtime_enabled
    assert found.throttling_enabled


def test_all_problems_are_reported_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadEnvironmentError) as bad:
        read(monkeypatch, DEBUG="maybe", REDIS_URL="http://redis", DELIVERY_LEASE_SECONDS="-1")
    assert set(bad.value.problems) == {"DEBUG", "REDIS_URL", "DELIVERY_LEASE_SECONDS"}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DELIVERY_PART_PRICE", "cheap", "must be a decimal number"),
        ("DELIVERY_PART_PRICE", "-1", "must be a decimal number"),
        ("ALERT_EMAIL", "grace@example.org, banana", "'banana' is no e-mail address"),
        ("ALERT_WEBHOOK_URL", "ftp://example.org", "must start with http"),
        ("ALERT_WEBHOOK_SECRET", "banana", "whsec_"),
        ("ALERT_WEBHOOK_SECRET", "whsec_AAAA", "24 to 64 random bytes"),
        ("ALERT_REPEAT_HOURS", "0", "0.1"),
        ("ALERT_BREAKER_SECONDS", "-1", "0"),
        ("DELIVERY_PART_PRICE", "nan", "must be a decimal number"),
        ("DATABASE_URL", "mysql://host/name", "must start with postgres:// or postgresql://"),
        ("DATABASE_URL", "postgres://host", "names no database"),
        ("DATABASE_URL", "postgres://host:door/name", "is no URL"),
        ("REDIS_URL", "unix://", "path of the socket"),
        ("REDIS_URL", "redis+sentinel://one,two", "Sentinel is"),
        ("REDIS_URL", "redis://", "names no host"),
        ("REDIS_URL", "redis://host/five", "Its database must be a number"),
        ("REDIS_URL", "unix:///run/valkey.sock?db=x", "Its database must be a number"),
        ("REDIS_URL", "redis+sentinel://one/koinonia/x", "Its database must be a number"),
        ("REDIS_PREFIX", "{grace}", "letters, digits, hyphens"),
        ("PUBLIC_URL", "https://texts.example.org/path", "must be an origin"),
        ("PUBLIC_URL", "texts.example.org", "must start with http:// or https://"),
        ("TELNYX_PUBLIC_KEY", "AAAA", "this has 3"),
        ("TELNYX_PUBLIC_KEY", "not base64!", "not base64"),
        ("TELNYX_API_BASE", "ftp://telnyx", "must start with http:// or https://"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ("METRICS_ALLOW", "everyone", "'everyone' is no address or CIDR"),
        ("DELIVERY_MODE", "later", "Must be one of: queued, sync"),
        ("DELIVERY_RETRY_DELAYS", "1,soon", "'soon' is no delay"),
        ("DELIVERY_RETRY_DELAYS", "-1", "'-1' is no delay"),
        ("DELIVERY_ACCOUNT_RATE", "0", "above 0"),
        ("DELIVERY_BREAKER_OPEN_SECONDS", "nan", "not permitted"),
        ("THROTTLE_API", "fast", "count/[n]period[:burst]"),
        ("THROTTLE_API", "0/m", "at least 1"),
        ("THROTTLE_APIS", "1/m", "There is no such policy"),
        ("LOG_FORMAT", "xml", "Must be one of: plain, json"),
        ("DATABASE_POOL", "-1", "greater than or equal to 0"),
        ("EMAIL_URL", "mail.example.org", "must start with smtp:// or"),
        ("EMAIL_URL", "smtps://mail.example.org", "must start with smtp:// or"),
        ("EMAIL_URL", "smtp://", "names no host"),
        ("EMAIL_URL", "smtp://host:door", "is no URL"),
        ("EMAIL_URL", "smtp://host?timeout=soon", "a number of seconds"),
        ("CSRF_TRUSTED_ORIGINS", "texts.example.org", "must start with http:// or https://"),
    ],
)
def test_a_bad_value_is_reported_with_its_problem(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    with pytest.raises(BadEnvironmentError) as bad:
        read(monkeypatch, **{name: value})
    assert list(bad.value.problems) == [name]
    assert problem in bad.value.problems[name]


def test_a_password_is_never_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadEnvironmentError) as bad:
        read(
            monkeypatch,
            DATABASE_URL="mysql://koinonia:hunter2@host/name",
            REDIS_URL="redis://:hunter2/3@host",
            EMAIL_URL="mail://koinonia:hunter2@host",
        )
    assert set(bad.value.problems) == {"DATABASE_URL", "REDIS_URL", "EMAIL_URL"}
    assert "hunter2" not in str(bad.value)


def test_values_of_every_kind_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(
        monkeypatch,
        DEBUG="1", THROTTLING_ENABLED="0", TRUSTED_PROXIES="10.0.0.0/8,::1",
        DELIVERY_CHURCH_RATE="7.5", DELIVERY_SENDER_RATE="none", DELIVERY_RETRY_DELAYS="0.5,10",
        THROTTLE_LOGIN_USER="5/15m", PUBLIC_URL="https://texts.example.org/",
        TELNYX_PUBLIC_KEY=GOOD_KEY,
    )  # fmt: skip
    assert (found.debug, found.throttling_enabled) == (True, False)
    assert found.trusted_proxies == ["10.0.0.0/8", "::1"]
    assert (found.delivery.church_rate, found.delivery.sender_rate) == (7.5, None)
    assert list(found.delivery.retry_delays) == [0.5, 10]
    assert found.throttle == {"login_user": "5/15m"}
    assert found.public_url == "https://texts.example.org"
    assert found.allowed_hosts[-1] == "texts.example.org"


@pytest.mark.parametrize(
    ("name", "field", "value", "items"),
    [
        ("ALLOWED_HOSTS", "allowed_hosts", "a.example.org, b.example.org",
         ["a.example.org", "b.example.org"]),
        ("ALLOWED_HOSTS", "allowed_hosts", " a.example.org ,,\tb.example.org\n,",
         ["a.example.org", "b.example.org"]),
        ("CSRF_TRUSTED_ORIGINS", "csrf_trusted_origins",
         "https://a.example.org, https://*.example.org ,",
         ["https://a.example.org", "https://*.example.org"]),
        ("TRUSTED_PROXIES", "trusted_proxies", "10.0.0.0/8, ::1,", ["10.0.0.0/8", "::1"]),
        ("METRICS_ALLOW", "metrics_allow", "10.0.0.0/8 , 10.1.2.3", ["10.0.0.0/8", "10.1.2.3"]),
    ],
)  # fmt: skip
def test_spaces_around_the_items_of_a_list_are_ignored(
    monkeypatch: pytest.MonkeyPatch, name: str, field: str, value: str, items: list[str]
) -> None:
    assert getattr(read(monkeypatch, **{name: value}), field) == items


def test_spaces_in_a_list_of_numbers_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, DELIVERY_RETRY_DELAYS=" 0.5, 10 ,")
    assert found.delivery.retry_delays == (0.5, 10)


def test_a_bad_item_of_a_list_is_named_without_its_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadEnvironmentError) as bad:
        read(monkeypatch, TRUSTED_PROXIES="10.0.0.0/8, somewhere ")
    assert "'somewhere' is no address or CIDR" in bad.value.problems["TRUSTED_PROXIES"]


def test_mail_is_printed_unless_a_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).email["EMAIL_BACKEND"].endswith("console.EmailBackend")
    url = "smtp://koinonia:p%40ss@mail.example.org:587/?tls=1&_default_from_email=a@example.org"
    found = read(monkeypatch, EMAIL_URL=url, PUBLIC_URL="https://texts.example.org").email
    assert found["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example.org", 587)
    assert (found["EMAIL_HOST_PASSWORD"], found["EMAIL_USE_TLS"]) == ("p@ss", True)
    assert (found["DEFAULT_FROM_EMAIL"], found["EMAIL_TIMEOUT"]) == ("a@example.org", 10)
    unnamed = read(monkeypatch, EMAIL_URL="smtp://mail.example.org").email
    assert unnamed["DEFAULT_FROM_EMAIL"] == "koinonia@texts.example.org"


@pytest.mark.parametrize(
    ("given", "countries", "parts"),
    [
        ({}, None, 20_000),
        ({"DELIVERY_COUNTRIES": "us, ca", "DELIVERY_DAILY_PARTS": "500"}, ("US", "CA"), 500),
        ({"DELIVERY_COUNTRIES": "*", "DELIVERY_DAILY_PARTS": "none"}, ("*",), None),
        ({"DELIVERY_COUNTRIES": "", "DELIVERY_DAILY_PARTS": "0"}, None, 0),
        ({"DELIVERY_COUNTRIES": " , "}, None, 20_000),
        ({"DELIVERY_COUNTRIES": "us,"}, ("US",), 20_000),
    ],
)  # fmt: skip
def test_countries_and_the_daily_cap_are_read(
    given: dict[str, str],
    countries: tuple[str, ...] | None,
    parts: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = read(monkeypatch, **given).delivery
    assert (found.countries, found.daily_parts) == (countries, parts)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DELIVERY_COUNTRIES", "UK"), ("DELIVERY_COUNTRIES", "US;CA"), ("DELIVERY_COUNTRIES", "USA"),
        ("DELIVERY_DAILY_PARTS", "-1"), ("DELIVERY_DAILY_PARTS", "many"),
    ],
)  # fmt: skip
def test_a_bad_country_or_cap_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadEnvironmentError) as bad:
        read(monkeypatch, **{name: value})
    assert set(bad.value.problems) == {name}


def test_missing_variables_are_read_from_a_running_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept_values.write(tmp_path, kept_values.SECRET_KEY, "kept")
    kept_values.write(tmp_path, kept_values.REDIS_URL, "unix:///somewhere/valkey.sock")
    simulator = '{"base": "http://sim/v2", "api_key": "KEY1", "public_key": "p", "control": "c"}'
    kept_values.write(tmp_path, kept_values.SIMULATOR, simulator)
    found = read(monkeypatch)
    assert (found.secret_key, found.redis_url) == ("kept", "unix:///somewhere/valkey.sock")
    assert (found.telnyx.api_key, found.telnyx.api_base) == ("KEY1", "http://sim/v2")


def test_a_real_key_is_never_used_with_the_simulator(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept_values.write(tmp_path, kept_values.SIMULATOR, '{"base": "http://sim/v2"}')
    found = read(monkeypatch, TELNYX_API_KEY="KEYreal")
    assert found.telnyx.api_base == "https://api.telnyx.com/v2"


def test_every_entry_point_exits_with_2_and_names_the_problems() -> None:
    for arguments in (["manage.py", "check"], ["-m", "daphne", "koinonia.asgi:application"]):
        ended = run(*arguments, DEBUG="maybe", LOG_LEVEL="loud")
        assert ended.returncode == 2
        assert "DEBUG: Not a valid boolean." in ended.stderr
        assert "LOG_LEVEL: Must be one of" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_command_without_its_variables_exits_with_2() -> None:
    ended = run("manage.py", "worker")
    assert ended.returncode == 2
    assert "SECRET_KEY, REDIS_URL, TELNYX_API_KEY are not set" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "command", [["check"], ["makemigrations", "--check", "--dry-run"], ["worker", "--help"]]
)
def test_a_command_that_needs_no_variables_runs(command: list[str]) -> None:
    ended = run("manage.py", *command)
    assert ended.returncode == 0, ended.stderr
