from __future__ import annotations

import re
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from tests.throttling.conftest import set_policies
from throttling import limits
from throttling.models import Allowance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def slow(settings: Settings) -> None:
    """Set limits so slow that no token is refilled while a busy machine runs the test."""
    set_policies(settings, api="200/d", anon="60/d", login_ip="10/d")


@pytest.fixture
def grace() -> User:
    return User.objects.create_user("grace")


def _throttle(*arguments: str) -> str:
    out = StringIO()
    call_command("throttle", *arguments, stdout=out)
    return out.getvalue()


def test_show_lists_the_buckets_of_a_user(grace: User) -> None:
    limits.charge("api", str(grace.pk), cost=200)
    shown = _throttle("show", "--user", "grace")
    assert f"api:{grace.pk}" in shown
    assert re.search(r"0 of 200 left \(200/d\), next in 4\d\d s, full in 86[34]\d\d s", shown)


def test_show_without_options_lists_refusals_and_the_allowlist() -> None:
    for _ in range(3):
        limits.charge("anon", "203.0.113.9", cost=60)
    Allowance.objects.create(network="10.0.0.0/8", note="The office")
    shown = _throttle("show")
    assert "2  anon:203.0.113.9" in shown
    assert "network 10.0.0.0/8 (all policies): The office" in shown


@pytest.mark.parametrize(("year", "told"), [(2020, "ended 2020"), (2099, "until 2099")])
def test_show_tells_whether_an_entry_has_ended(year: int, told: str) -> None:
    Allowance.objects.create(token="a", note="x", expires_at=datetime(year, 1, 31, tzinfo=UTC))
    assert f"token a (all policies), {told}-01-31 00:00 UTC: x" in _throttle("show")


def test_show_without_options_names_the_refused_user(grace: User) -> None:
    for _ in range(2):
        limits.charge("api", str(grace.pk), cost=200)
    assert f"1  api:{grace.pk} (grace)" in _throttle("show")


def test_reset_fills_the_buckets_of_an_address() -> None:
    limits.charge("anon", "203.0.113.9", cost=60)
    limits.charge("login_ip", "203.0.113.9", cost=10)
    assert "2 buckets filled" in _throttle("reset", "--address", "203.0.113.9")
    assert limits.charge("anon", "203.0.113.9", cost=60).allowed


def test_a_single_bucket_can_be_shown_and_reset() -> None:
    limits.charge("broadcasts", "grace", cost=10)
    assert "0 of 10 left" in _throttle("show", "--bucket", "broadcasts:grace")
    assert "1 bucket filled" in _throttle("reset", "--bucket", "broadcasts:grace")


def test_allow_and_revoke_change_the_allowlist(grace: User) -> None:
    _throttle("allow", "--user", "grace", "--policy", "api", "--expires", "7d", "--note", "Easter")
    row = Allowance.objects.get()
    assert (row.user, row.policies, row.note) == (grace, "api", "Easter (by manage.py throttle)")
    assert row.expires_at is not None
    _throttle("revoke", str(row.pk))
    assert not Allowance.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["reset"], "Name a --user"),
        (["show", "--address", "nonsense"], "not an IP address"),
        (["allow", "--address", "nonsense"], "neither an IP address"),
        (["allow", "--user", "nobody"], "No user is called 'nobody'"),
        (["allow", "--token", "a", "--policy", "nonsense"], "No policy is called nonsense"),
        (["allow"], "exactly one"),
        (["allow", "--token", "a", "--expires", "soon"], "neither such as 7d"),
        (["allow", "--token", "a", "--expires", "7d:5"], "neither such as 7d"),
        (["allow", "--token", "a", "--expires", "2027-02-30 12:00"], "neither such as 7d"),
        (["allow", "--token", "a", "--expires", "9999999999d"], "neither such as 7d"),
        (["allow", "--token", "a", "--expires", "9999-12-31T23:00-05:00"], "neither such as 7d"),
        (["allow", "--token", "a", "--expires", "2020-01-31 12:00"], "not in the future"),
        (["allow", "--token", "a", "--expires", "0d"], "not in the future"),
        (["revoke", "12"], "no entry 12"),
        (["revoke", "9" * 30], "no entry 999"),
    ],
)
def test_a_wrong_call_is_explained(arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        _throttle(*arguments)


@pytest.mark.parametrize("given", ["2099-01-31", "2099-01-31 00:00", "2099-01-31T02:00+02:00"])
def test_an_entry_ends_on_the_date_that_is_given(given: str) -> None:
    _throttle("allow", "--token", "a", "--expires", given)
    assert Allowance.objects.get().expires_at == datetime(2099, 1, 31, tzinfo=UTC)


def test_an_entry_says_that_it_came_from_the_command_line() -> None:
    _throttle("allow", "--token", "a")
    row = Allowance.objects.get()
    assert (row.created_by, row.note) == (None, "(by manage.py throttle)")


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("throttle", "--help")
    assert "manage.py throttle allow --address" in capsys.readouterr().out


def test_a_redis_that_is_away_is_named_by_its_cache(settings: Settings) -> None:
    settings.CACHES = {
        **settings.CACHES,
        "throttling": {**settings.CACHES["throttling"], "LOCATION": "unix:///nowhere?db=2"},
    }
    with pytest.raises(
        CommandError, match=r"The Redis of CACHES\['throttling'\] does not answer: \w"
    ):
        _throttle("show")
