"""CORS: pages of allowed origins can read answers, pages of other origins cannot."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from koinonia.config import environment
from koinonia.config.environment import BadEnvironmentError
from koinonia.models import Church
from tests.support.running_system import ROOT

ALLOWED = "https://app.example.org"
ME = "/api/v1/me/"
GROUPS = "/api/v1/churches/grace/groups/"
FOREIGN = [
    "https://evil.example", "http://app.example.org", "https://app.example.org:8443", "null",
    "https://app.example.org.evil.example", "https://[", "",
]  # fmt: skip
ASKED = "authorization,content-type,idempotency-key,if-match,if-none-match"


@pytest.fixture(autouse=True)
def allowed(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ALLOWED]


@pytest.fixture
def client(grace_sender: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(grace_sender)
    return client


def preflight(path: str, origin: str, method: str = "PATCH") -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ASKED,
    }
    return Client().options(path, headers=headers)


def listed(answer: Any, name: str) -> set[str]:
    return {one.strip().lower() for one in answer[name].split(",")}


@pytest.mark.parametrize(
    "path", [ME, GROUPS, f"{GROUPS}x/", "/api/v1/auth/login/", "/api/no/such/"]
)
def test_a_preflight_of_an_allowed_origin_is_answered(db: None, path: str) -> None:
    answer = preflight(path, ALLOWED)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Access-Control-Allow-Origin"] == ALLOWED
    assert listed(answer, "Access-Control-Allow-Methods") >= {"get", "post", "patch", "delete"}
    assert listed(answer, "Access-Control-Allow-Headers") >= set(ASKED.split(","))
    assert "Access-Control-Allow-Credentials" not in answer
    assert "origin" in listed(answer, "Vary")


@pytest.mark.parametrize("origin", FOREIGN)
def test_any_other_origin_is_answered_as_without_cors(db: None, origin: str) -> None:
    answer = preflight(ME, origin)
    assert answer.status_code == 401
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("path", ["/", "/login/", "/admin/login/", "/healthz", "/webhooks/telnyx/"])
def test_only_the_api_is_for_other_origins(db: None, path: str) -> None:
    answer = Client().get(path, headers={"Origin": ALLOWED})
    assert "Access-Control-Allow-Origin" not in answer


def test_an_answer_can_be_read_with_its_headers(client: APIClient, grace: Church) -> None:
    answer = client.get(GROUPS, headers={"Origin": ALLOWED})
    assert answer["Access-Control-Allow-Origin"] == ALLOWED
    assert listed(answer, "Access-Control-Expose-Headers") >= {
        "etag", "location", "retry-after", "ratelimit", "ratelimit-policy", "x-ratelimit-limit",
        "x-ratelimit-remaining", "x-ratelimit-reset", "stream-position", "idempotent-replayed",
    }  # fmt: skip
    headers = {"Origin": ALLOWED, "If-None-Match": answer["ETag"]}
    again = client.get(GROUPS, headers=headers)
    assert again.status_code == 304
    for name in ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary"):
        assert again[name] == answer[name]


def test_answers_vary_by_origin_for_caches(client: APIClient, grace: Church) -> None:
    answers = [client.get(GROUPS, headers={"Origin": one}) for one in (ALLOWED, *FOREIGN[:2])]
    answers.append(client.get(GROUPS))
    assert all("origin" in listed(answer, "Vary") for answer in answers)
    assert len({answer["ETag"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/churches/none/", 404), ("/api/no/such/", 404), (f"{GROUPS}?fields=none", 400)],
)
def test_another_origin_can_read_an_error(
    client: APIClient, grace: Church, path: str, status: int
) -> None:
    answer = client.get(path, headers={"Origin": ALLOWED})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (status, ALLOWED)


def test_another_origin_can_read_a_401(db: None) -> None:
    headers = {"Origin": ALLOWED, "Authorization": "Bearer none"}
    answer = Client().get(ME, headers=headers)
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (401, ALLOWED)


def test_another_origin_can_read_the_error_of_a_foreign_host(db: None, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["koinonia.example"]
    answer = Client().get(ME, headers={"Origin": ALLOWED, "Host": "other.example"})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (400, ALLOWED)


def test_another_origin_can_read_a_429(
    client: APIClient, grace: Church, settings: Settings
) -> None:
    policies = {**settings.THROTTLING["POLICIES"], "api": {"rate": "1/h"}}
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": True, "POLICIES": policies}
    answers = [client.get(GROUPS, headers={"Origin": ALLOWED}) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert answers[-1]["Access-Control-Allow-Origin"] == ALLOWED
    assert int(answers[-1]["Retry-After"]) > 0


def test_without_allowed_origins_nothing_changes(
    client: APIClient, grace: Church, settings: Settings
) -> None:
    settings.CORS_ALLOWED_ORIGINS = []
    answer = client.get(GROUPS, headers={"Origin": ALLOWED})
    assert "origin" not in listed(answer, "Vary")
    assert preflight(ME, ALLOWED).status_code == 401


def test_the_environment_names_the_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", "https://App.example.org/, http://127.0.0.1:3000")
    found = environment.read(ROOT).cors_allowed_origins
    assert found == ["https://app.example.org", "http://127.0.0.1:3000"]


@pytest.mark.parametrize("bad", ["*", "https://*.example.org", "app.example.org", "https://a/b"])
def test_a_bad_origin_is_reported_at_start(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", bad)
    with pytest.raises(BadEnvironmentError) as error:
        environment.read(ROOT)
    assert set(error.value.problems) == {"CORS_ALLOWED_ORIGINS"}
