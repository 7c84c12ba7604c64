"""The rate limits of the project (contract section 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from koinonia.config import environment, rate_limits
from koinonia.models import Church
from tests.delivery.accounts import with_provider
from tests.delivery.webhooks import signing
from tests.support import cast
from throttling import policies
from throttling.models import Allowance
from throttling.rates import parse

Bearer = Callable[[User], dict[str, str]]

CONTRACT = [
    ("api", "1000/m:200", "user", True),
    ("conditional", "6000/m", "user", False),
    ("anon", "60/m", "address", True),
    ("messages", "100/m", "user", True),
    ("broadcasts", "10/h", "url:church", True),
    ("login_ip", "10/m", "address", True),
    ("login_user", "5/15m", "name and address", True),
    ("login_name", "20/15m", "name", True),
    ("connect", "60/m", "user", True),
    ("invitations", "60/h", "url:church", True),
]


@pytest.mark.parametrize(("name", "rate", "by", "give_back"), CONTRACT)
def test_each_policy_is_as_the_contract_says(
    name: str, rate: str, by: str, give_back: bool
) -> None:
    policy = policies.get(name)
    assert (policy.rate, policy.by, policy.give_back) == (parse(rate), by, give_back)


def test_the_environment_can_set_the_rate_of_every_policy() -> None:
    """Tie the three places that name policies: the contract, the settings, and the environment."""
    assert set(rate_limits.NAMES) == set(policies.by_name()) == {row[0] for row in CONTRACT}


@pytest.mark.parametrize("name", [row[0] for row in CONTRACT])
def test_a_rate_of_the_environment_reaches_its_policy(
    name: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv(f"THROTTLE_{name.upper()}", "7/h")
    rates = environment.read(project.BASE_DIR).throttle
    settings.THROTTLING = {**settings.THROTTLING, "POLICIES": rate_limits.policies(rates)}
    assert policies.get(name).rate == parse("7/h")


def test_the_headers_middleware_stands_outside_the_middleware_that_answers_304() -> None:
    order = [name.rpartition(".")[2] for name in project.MIDDLEWARE]
    assert order.index("RateLimitHeadersMiddleware") < order.index("ContentHashMiddleware")


def _tight(settings: Settings, **rates: str) -> None:
    declared = dict(settings.THROTTLING["POLICIES"])
    for name, rate in rates.items():
        declared[name] = {**declared.get(name, {}), "rate": rate}
    settings.THROTTLING = {**settings.THROTTLING, "POLICIES": declared}


def test_every_authenticated_answer_has_rate_limit_fields(
    grace_viewer: User, bearer: Bearer
) -> None:
    answer = Client().get("/api/v1/me/", headers=bearer(grace_viewer))
    assert answer.status_code == 200
    assert answer["RateLimit-Policy"] == '"api";q=1000;w=60,"conditional";q=6000;w=60'
    assert (answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == ("200", "199")


def test_too_many_messages_are_a_429_problem(
    grace: Church, grace_sender: User, bearer: Bearer, settings: Settings
) -> None:
    _tight(settings, messages="1/d")
    headers = bearer(grace_sender)

    def send() -> Any:
        return Client().post(
            "/api/v1/churches/grace/messages/",
            {"to": "+13125550177", "text": "Peace"},
            content_type="application/json",
            headers=headers,
        )

    assert send().status_code == 202
    refused = send()
    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["violated-policies"] == ["messages"]
    assert int(refused["Retry-After"]) == pytest.approx(86_400, abs=60)


def test_bad_tokens_are_401_then_429_while_good_tokens_work(
    grace_viewer: User, bearer: Bearer, settings: Settings
) -> None:
    _tight(settings, anon="2/d")
    bad = {"Authorization": "Bearer nonsense"}
    codes = [Client().get("/api/v1/me/", headers=bad).status_code for _ in range(3)]
    assert codes == [401, 401, 429]
    assert Client().get("/api/v1/me/", headers=bearer(grace_viewer)).status_code == 200


def test_a_304_is_refunded(
    grace: Church, grace_viewer: User, bearer: Bearer, settings: Settings
) -> None:
    _tight(settings, api="5/h", conditional="5/h")
    headers = bearer(grace_viewer)
    first = Client().get("/api/v1/churches/grace/members/", headers=headers)
    again = Client().get(
        "/api/v1/churches/grace/members/", headers={**headers, "If-None-Match": first["ETag"]}
    )
    assert again.status_code == 304
    assert '"api";r=4' in again["RateLimit"]
    assert '"conditional";r=3' in again["RateLimit"]


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_the_login_pages_share_the_buckets_of_the_api_login(grace_owner: User, page: str) -> None:
    def api() -> int:
        given = {"username": grace_owner.username, "password": "guess"}
        return (
            Client().post("/api/v1/auth/login/", given, content_type="application/json").status_code
        )

    assert [api() for _ in range(5)] == [401] * 5
    answer = Client().post(page, {"username": grace_owner.username, "password": cast.PASSWORD})
    assert answer.status_code == 429
    assert api() == 429


def test_no_password_is_verified_after_too_many_guesses(
    grace_owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    def authenticate(*_: Any, username: str, **__: Any) -> None:
        verified.append(username)

    monkeypatch.setattr("koinonia.api.views.auth.authenticate", authenticate)
    given = {"username": grace_owner.username, "password": cast.PASSWORD}
    for _ in range(7):
        Client().post("/api/v1/auth/login/", given, content_type="application/json")
    assert verified == [grace_owner.username] * 5


def test_the_api_login_is_limited_by_the_login_policies_only(
    grace: Church, settings: Settings
) -> None:
    _tight(settings, anon="1/h")
    User.objects.create_user("quick", password=cast.PASSWORD)
    given = {"username": "quick", "password": cast.PASSWORD}
    answers = [
        Client().post("/api/v1/auth/login/", given, content_type="application/json")
        for _ in range(12)
    ]
    assert [answer.status_code for answer in answers] == [200] * 12
    assert "anon" not in answers[-1]["RateLimit-Policy"]


@pytest.mark.django_db(transaction=True)
def test_a_token_on_the_allowlist_is_not_limited(
    grace_viewer: User, bearer: Bearer, settings: Settings
) -> None:
    _tight(settings, api="1/h")
    headers = bearer(grace_viewer)
    codes = [Client().get("/api/v1/me/", headers=headers).status_code for _ in range(2)]
    from knox.models import AuthToken

    Allowance.objects.create(token=AuthToken.objects.get().token_key, note="test")
    codes.append(Client().get("/api/v1/me/", headers=headers).status_code)
    assert codes == [200, 429, 200]


@pytest.mark.django_db
def test_webhooks_are_checked_by_signature_and_never_limited_by_address(
    settings: Settings,
) -> None:
    _tight(settings, anon="1/d")
    settings.DELIVERY = with_provider(settings, PUBLIC_KEY=signing.public(signing.KEY))
    assert [Client().get("/api/v1/me/").status_code for _ in range(2)] == [401, 429]
    headers = [{}, signing.signed(b"{}"), {}, signing.signed(b"other")]
    answers = [signing.post(b"{}", headers=given) for given in headers]
    assert 429 not in {answer.status_code for answer in answers}
    assert [answer.status_code for answer in answers][::2] == [400, 400]
    assert not any("RateLimit" in answer for answer in answers)
