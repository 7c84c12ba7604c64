"""The tokens of a user: named, listed, ended."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from koinonia.accounts import keys, tokens
from koinonia.models import TokenDetails
from tests.support import cast

TOKENS = "/api/v1/me/tokens/"
ME = "/api/v1/me/"


def make(client: APIClient, **body: Any) -> Any:
    return client.post(TOKENS, {"name": "Calendar", **body}, format="json")


def bearer(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


def test_a_token_is_shown_once(owner: APIClient) -> None:
    made = make(owner)
    assert made.status_code == 201
    shown = ["id", "name", "created_at", "last_used_at", "expires_at", "scopes", "church", "prefix"]
    assert list(made.json()) == [*shown, "token"]
    listed = owner.get(TOKENS)
    [found] = listed.json()["results"]
    assert list(found) == shown
    assert made.json()["token"] not in listed.content.decode()
    assert (found["name"], found["last_used_at"]) == ("Calendar", None)
    assert bearer(made.json()["token"]).get(ME).status_code == 200


def test_a_token_is_deleted_only_by_its_user(
    owner: APIClient, hope_owner: User, grace_owner: User
) -> None:
    made = make(owner).json()
    other = APIClient()
    other.force_authenticate(hope_owner)
    item = f"{TOKENS}{made['id']}/"
    assert other.delete(item).status_code == 404
    assert bearer(made["token"]).get(ME).status_code == 200
    assert owner.delete(item).status_code == 204
    assert bearer(made["token"]).get(ME).status_code == 401
    assert owner.delete(item).status_code == 404


@pytest.mark.parametrize("odd", ["x", "%00", "Uk", "-1", "9" * 30])
def test_an_unknown_id_is_not_found(owner: APIClient, odd: str) -> None:
    assert owner.delete(f"{TOKENS}{odd}/").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u200b\u2066"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2026-12-24"}, "expires_at"),
        ({"expires_at": "2026-12-24T17:00:00"}, "expires_at"),
        ({"expires_at": 5}, "expires_at"),
    ],
)
def test_a_bad_token_request_is_reported_by_field(
    owner: APIClient, body: dict[str, Any], field: str
) -> None:
    refused = make(owner, **body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    assert not AuthToken.objects.exists()


def test_the_user_chooses_the_expiry(owner: APIClient) -> None:
    at = (timezone.now() + timedelta(days=30)).replace(microsecond=0)
    made = make(owner, expires_at=at.isoformat().replace("+00:00", "z"))
    assert made.json()["expires_at"] == at.strftime("%Y-%m-%dT%H:%M:%SZ")
    default = make(owner).json()["expires_at"]
    assert default.startswith(f"{timezone.now() + timedelta(days=90):%Y-%m-%d}")


def test_the_last_use_is_stored_once_a_minute(grace_owner: User, owner: APIClient) -> None:
    client = bearer(make(owner).json()["token"])
    start = timezone.now().replace(second=0, microsecond=0) + timedelta(minutes=1)

    def writes(seconds: int) -> int:
        at = start + timedelta(seconds=seconds)
        with time_machine.travel(at, tick=False), CaptureQueriesContext(connection) as asked:
            assert client.get(ME).status_code == 200
        return sum(query["sql"].startswith("UPDATE") for query in asked.captured_queries)

    assert [writes(second) for second in (0, 1, 59, 60, 61, 119, 120)] == [1, 0, 0, 1, 0, 0, 1]
    [found] = owner.get(TOKENS).json()["results"]
    assert found["last_used_at"] == f"{start + timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.django_db(transaction=True)
def test_storing_the_last_use_never_waits_for_a_lock(owner: APIClient, grace_owner: User) -> None:
    """Skip the update while another transaction writes (SQLite) or holds the row."""
    token = make(owner).json()["token"]
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        from django.db import transaction

        try:
            with transaction.atomic():
                list(TokenDetails.objects.select_for_update())
                TokenDetails.objects.update(name="Held")
                held.set()
                done.wait(15)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    try:
        answer = bearer(token).get(ME)
        assert thread.is_alive()
        assert answer.status_code == 200
        assert TokenDetails.objects.get().last_used is None
    finally:
        done.set()
        thread.join(30)
    assert bearer(token).get(ME).status_code == 200
    assert TokenDetails.objects.get().last_used is not None


def test_keys_are_limited(owner: APIClient) -> None:
    for _ in range(keys.MAX_KEYS):
        assert make(owner).status_code == 201
    refused = make(owner)
    assert refused.status_code == 400
    assert "delete one first" in refused.json()["errors"]["non_field_errors"][0]


def test_a_login_beyond_the_limit_ends_the_oldest_login_and_no_named_token(
    owner: APIClient, grace_owner: User
) -> None:
    named = make(owner).json()["token"]
    body = {"username": "grace-owner", "password": cast.PASSWORD}
    made = [
        APIClient().post("/api/v1/auth/login/", body, format="json").json()["token"]
        for _ in range(tokens.MAX_LOGINS + 2)
    ]
    codes = [bearer(token).get(ME).status_code for token in made]
    # The first login rewrites the password hash with the cheaper hasher of these tests.
    assert codes == [401] * 2 + [200] * tokens.MAX_LOGINS
    assert AuthToken.objects.filter(user=grace_owner).count() <= tokens.MAX_LOGINS + 1
    assert named
