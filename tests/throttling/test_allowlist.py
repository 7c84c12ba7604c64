from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests.throttling.conftest import set_policies
from throttling import allowlist
from throttling.buckets import Bucket, BucketStore, parse
from throttling.models import Allowance

ROOT = Path(__file__).parents[2]
GRACE = {"Authorization": "Bearer 1"}


@pytest.fixture
def tight(api: Client, settings: Settings) -> Client:
    set_policies(settings, api="1/h", anon="1/h")
    return api


def _allow(**over: Any) -> Allowance:
    return Allowance.objects.create(note="test", **over)


def _codes(client: Client, headers: dict[str, str], times: int = 3) -> list[int]:
    return [client.get("/limited/", headers=headers).status_code for _ in range(times)]


@pytest.mark.django_db(transaction=True)
def test_an_entry_takes_effect_on_the_next_request(tight: Client) -> None:
    user = User.objects.create(pk=1)
    assert _codes(tight, GRACE) == [200, 429, 429]
    row = _allow(user=user)
    assert _codes(tight, GRACE) == [200] * 3
    row.delete()
    assert _codes(tight, GRACE) == [429] * 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "over",
    [
        {"network": "127.0.0.1/32"},
        {"network": "127.0.0.0/8"},
        {"token": "key-of-1"},
        {"network": "127.0.0.1/32", "policies": "api,messages"},
        {"token": "key-of-1", "expires_at": timezone.now() + timedelta(days=1)},
    ],
)
def test_a_listed_caller_is_not_limited(tight: Client, over: dict[str, Any]) -> None:
    assert _codes(tight, GRACE) == [200, 429, 429]
    _allow(**over)
    assert _codes(tight, GRACE) == [200] * 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "over",
    [
        {"network": "192.0.2.0/24"},
        {"network": "::ffff:127.0.0.1/128"},
        {"token": "key-of-2"},
        {"network": "127.0.0.1/32", "policies": "messages"},
        {"token": "key-of-1", "expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_a_caller_that_is_not_listed_is_limited(tight: Client, over: dict[str, Any]) -> None:
    _allow(**over)
    assert _codes(tight, GRACE) == [200, 429, 429]


@pytest.mark.django_db(transaction=True)
def test_a_forged_address_is_not_exempt(tight: Client) -> None:
    _allow(network="192.0.2.7/32")
    assert _codes(tight, {**GRACE, "X-Forwarded-For": "192.0.2.7"}) == [200, 429, 429]


@pytest.mark.django_db(transaction=True)
def test_the_first_request_after_a_new_entry_is_not_charged(
    tight: Client, store: BucketStore
) -> None:
    _codes(tight, {"Authorization": "Bearer other"}, 1)
    _allow(user=User.objects.create(pk=1))
    _codes(tight, GRACE, 1)
    assert store.peek([Bucket("api:1", parse("1/h"))]).states[0].remaining == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [
        lambda row: Allowance.objects.filter(pk=row.pk).update(network="127.0.0.1/32"),
        lambda row: Allowance.objects.bulk_create([Allowance(network="127.0.0.1/32", note="x")]),
        lambda row: Allowance.objects.create(network="127.0.0.1/32", note="x"),
    ],
    ids=["update", "bulk_create", "create"],
)
def test_every_kind_of_write_is_announced(tight: Client, change: Callable[[Any], None]) -> None:
    row = _allow(network="192.0.2.0/24")
    assert _codes(tight, GRACE) == [200, 429, 429]
    change(row)
    assert _codes(tight, GRACE, 1) == [200]


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_rolled_back_exempts_nobody(tight: Client) -> None:
    assert _codes(tight, GRACE, 2) == [200, 429]
    with transaction.atomic():
        _allow(network="127.0.0.1/32")
        transaction.set_rollback(True)
    assert _codes(tight, GRACE, 1) == [429]


@pytest.mark.django_db(transaction=True)
def test_a_flushed_redis_does_not_restore_an_old_list(tight: Client, store: BucketStore) -> None:
    row = _allow(network="127.0.0.1/32")
    assert _codes(tight, GRACE) == [200] * 3
    store.client.flushdb()
    row.delete()
    assert _codes(tight, GRACE) == [200, 429, 429]


@pytest.mark.django_db(transaction=True)
def test_an_unannounced_change_is_seen_when_the_copy_is_old(
    tight: Client, settings: Settings, store: BucketStore
) -> None:
    assert _codes(tight, GRACE, 2) == [200, 429]
    version = store.client.get(store.version_key)
    _allow(network="127.0.0.1/32")
    store.client.set(store.version_key, version or b"")
    settings.THROTTLING = {**settings.THROTTLING, "ALLOWLIST_MAX_AGE": 0}
    assert _codes(tight, GRACE, 1) == [200]


OTHER_PROCESS = textwrap.dedent(
    """
    import sys
    import django
    django.setup()
    from throttling import limits
    from throttling.allowlist import Caller
    for line in sys.stdin:
        result = limits.charge("anon", "x", caller=Caller(user="1"), cost=60)
        print(int(result.allowed), flush=True)
    """
)


@pytest.mark.django_db(transaction=True)
def test_another_process_sees_a_change_on_its_next_request(
    settings: Settings, tmp_path: Path
) -> None:
    from django.db import connection

    database = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite" and ("memory" in database or not Path(database).exists()):
        database = _file_database(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", _settings_for(database) + OTHER_PROCESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as other:
        assert [_asked(other), _asked(other)] == ["1", "0"]
        _elsewhere(database, "Allowance.objects.create(user=User.objects.create(pk=1), note='x')")
        assert _asked(other) == "1"
        _elsewhere(database, "Allowance.objects.all().delete()")
        assert _asked(other) == "0"
        other.communicate(timeout=60)


def _asked(other: subprocess.Popen[str]) -> str:
    assert other.stdin is not None
    assert other.stdout is not None
    other.stdin.write("ask\n")
    other.stdin.flush()
    return other.stdout.readline().strip()


def _settings_for(database: str) -> str:
    return textwrap.dedent(
        f"""
        import os
        os.environ["DJANGO_SETTINGS_MODULE"] = "koinonia.settings"
        from django.conf import settings
        settings.DATABASES["default"]["NAME"] = {database!r}
        """
    )


def _elsewhere(database: str, statement: str) -> None:
    """Run a statement in another process, as the admin in another web process would."""
    subprocess.run(
        [
            sys.executable,
            "-c",
            _settings_for(database)
            + "import django; django.setup()\n"
            + "from django.contrib.auth.models import User\n"
            + "from throttling.models import Allowance\n"
            + statement,
        ],
        check=True,
        cwd=ROOT,
    )


def _file_database(directory: Path) -> str:
    database = str(directory / "other.sqlite3")
    subprocess.run(
        [
            sys.executable,
            "-c",
            _settings_for(database)
            + "import django; django.setup()\n"
            + "from django.core.management import call_command\n"
            + "call_command('migrate', 'throttling', verbosity=0)\n"
            + "call_command('migrate', 'auth', verbosity=0)\n",
        ],
        check=True,
        cwd=ROOT,
    )
    return database


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"network": "not an address"}, "network"),
        ({"network": "10.0.0.0/8", "policies": "nonsense"}, "policies"),
        ({"network": "10.0.0.0/8", "token": "abc"}, "__all__"),
        ({}, "__all__"),
    ],
)
def test_a_wrong_entry_is_refused(over: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as error:
        Allowance(note="x", **over).full_clean()
    assert list(error.value.message_dict) == [field]


@pytest.mark.django_db
def test_the_database_refuses_an_entry_of_two_things() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        _allow(network="10.0.0.0/8", token="abc")


@pytest.mark.django_db
def test_a_listed_user_is_exempt_from_a_login_policy_only_if_the_entry_names_it() -> None:
    from throttling.charges import name_digest

    user = User.objects.create(username="grace")
    caller = allowlist.Caller(name=name_digest("grace"))
    _allow(user=user)
    now = timezone.now()
    assert allowlist.read_again("1").exempt(caller, ["login_name"], now=now) == frozenset()
    _allow(user=user, policies="login_name")
    assert allowlist.read_again("2").exempt(caller, ["login_name"], now=now) == {"login_name"}


@pytest.mark.django_db
def test_an_entry_ends_in_time_without_a_reread() -> None:
    now = timezone.now()
    Allowance.objects.create(token="key", note="x", expires_at=now + timedelta(hours=1))
    listed = allowlist.read_again("v1")
    caller = allowlist.Caller(token="key")
    assert listed.exempt(caller, ["api"], now=now) == {"api"}
    assert listed.exempt(caller, ["api"], now=now + timedelta(hours=1)) == frozenset()
