from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.throttling.conftest import set_policies
from throttling.buckets import Bucket, BucketStore, parse

pytestmark = pytest.mark.django_db

GRACE = {"Authorization": "Bearer grace"}
BAD = {"Authorization": "Bearer bad"}


def _left(store: BucketStore, name: str, rate: str) -> int:
    return store.peek([Bucket(name, parse(rate))]).states[0].remaining


def test_every_answer_carries_the_remaining_tokens(api: Client) -> None:
    answer = api.get("/limited/", headers=GRACE)
    assert answer.status_code == 200
    assert answer["RateLimit-Policy"] == '"api";q=1000;w=60,"conditional";q=6000;w=60'
    assert answer["RateLimit"] == '"api";r=199;t=12,"conditional";r=5999;t=60'
    assert (answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == ("200", "199")
    assert abs(int(answer["X-RateLimit-Reset"]) - time.time()) < 30


def test_an_empty_bucket_answers_a_429_problem(api: Client, settings: Settings) -> None:
    set_policies(settings, messages={"rate": "2/d", "by": "user"})
    answers = [api.post("/limited/", headers=GRACE) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert refused["Content-Type"] == "application/problem+json"
    assert int(refused["Retry-After"]) == pytest.approx(43_200, abs=60)
    assert refused["RateLimit"].startswith('"messages";r=0;t=43')
    assert refused["X-RateLimit-Limit"] == "2"
    assert refused["Cache-Control"] == "no-store"
    body = refused.json()
    assert body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert (body["status"], body["violated-policies"]) == (429, ["messages"])
    assert f"{refused['Retry-After']} seconds" in body["detail"]


def test_a_refused_request_charges_nothing(
    api: Client, settings: Settings, store: BucketStore
) -> None:
    # Per day: at 1000/m the bucket is full, and its key gone, 60 ms after one request.
    set_policies(settings, api="200/d", messages={"rate": "1/d", "by": "user"})
    for _ in range(5):
        api.post("/limited/", headers=GRACE)
    assert _left(store, "api:grace", "200/d") == 199


def test_one_request_is_one_round_trip(
    api: Client, store: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    send = store._send

    def watched(*given: Any) -> Any:
        sent.append(given[0])
        return send(*given)

    monkeypatch.setitem(store.__dict__, "_send", watched)
    api.get("/limited/", headers=GRACE)
    sent.clear()
    api.post("/churches/grace/", headers=GRACE)
    assert sent == ["EVALSHA"]


def test_a_policy_counts_by_an_argument_of_the_url(api: Client, store: BucketStore) -> None:
    api.post("/churches/grace/", headers=GRACE)
    api.post("/churches/grace/", headers={"Authorization": "Bearer somebody-else"})
    assert _left(store, "broadcasts:grace", "10/d") == 8


def test_each_user_has_a_bucket(api: Client, settings: Settings) -> None:
    set_policies(settings, api="1/d")
    assert api.get("/limited/", headers=GRACE).status_code == 200
    assert api.get("/limited/", headers=GRACE).status_code == 429
    assert api.get("/limited/", headers={"Authorization": "Bearer hope"}).status_code == 200


@pytest.mark.parametrize("headers", [{}, BAD])
def test_without_a_good_credential_the_address_is_charged(
    api: Client, settings: Settings, headers: dict[str, str]
) -> None:
    set_policies(settings, anon="2/d")
    answers = [api.get("/limited/", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[0]["WWW-Authenticate"] == "Bearer"
    assert answers[0]["RateLimit"] == '"anon";r=1;t=43200'
    assert int(answers[2]["Retry-After"]) == pytest.approx(43_200, abs=60)


def test_a_good_credential_is_never_refused_for_its_address(
    api: Client, settings: Settings
) -> None:
    set_policies(settings, anon="1/d")
    for _ in range(3):
        api.get("/limited/", headers=BAD)
    assert api.get("/limited/", headers=BAD).status_code == 429
    assert api.get("/limited/", headers=GRACE).status_code == 200


def test_a_public_view_is_charged_to_the_address(api: Client, settings: Settings) -> None:
    set_policies(settings, anon="1/d")
    assert [api.get("/open/").status_code for _ in range(2)] == [200, 429]


def test_a_404_is_charged_and_stays_a_404(
    api: Client, settings: Settings, store: BucketStore
) -> None:
    set_policies(settings, api="2/d")
    codes = [api.get("/churches/hope/", headers=GRACE).status_code for _ in range(4)]
    assert codes == [404] * 4
    assert _left(store, "api:grace", "2/d") == 0


@pytest.mark.parametrize(
    ("method", "headers"),
    [("get", {"If-None-Match": '"17"'}), ("post", {"Idempotency-Key": "a"})],
)
def test_a_304_and_a_replay_refund_all_but_the_conditional_charge(
    api: Client, store: BucketStore, method: str, headers: dict[str, str]
) -> None:
    answer = getattr(api, method)("/limited/", headers={**GRACE, **headers})
    assert '"api";r=200' in answer["RateLimit"]
    assert '"conditional";r=5999' in answer["RateLimit"]
    assert _left(store, "api:grace", "1000/m:200") == 200
    assert _left(store, "messages:grace", "100/m") == 100


@pytest.mark.parametrize("status", [500, 503])
def test_a_failure_of_the_server_is_refunded(
    api: Client, store: BucketStore, settings: Settings, status: int
) -> None:
    # A bucket that refills slowly: the default one gains a token every 10 ms.
    set_policies(settings, conditional="6000/d")
    for _ in range(3):
        answer = api.post(f"/limited/?fail={status}", headers=GRACE)
        assert answer.status_code == status
    assert _left(store, "api:grace", "1000/m:200") == 200
    assert _left(store, "messages:grace", "100/m") == 100
    assert '"conditional";r=5997' in answer["RateLimit"]


def test_a_cost_is_charged_at_once_and_one_above_the_burst_is_a_400(
    api: Client, settings: Settings
) -> None:
    set_policies(settings, messages={"rate": "100/d", "by": "user"})
    assert api.post("/limited/?cost=60", headers=GRACE).status_code == 200
    assert api.post("/limited/?cost=60", headers=GRACE).status_code == 429
    too_much = api.post("/limited/?cost=101", headers=GRACE)
    assert too_much.status_code == 400
    assert "at most 100" in too_much.json()["detail"]


def test_a_plan_has_its_own_rates(api: Client, settings: Settings) -> None:
    settings.THROTTLING = {
        **settings.THROTTLING,
        "PLANS": {"large": {"api": "5000/m"}},
        "PLAN_OF": f"{__name__}.plan_of",
    }
    large = api.get("/limited/", headers={"Authorization": "Bearer large"})
    assert '"api";q=5000;w=60' in large["RateLimit-Policy"]
    assert '"api";q=1000;w=60' in api.get("/limited/", headers=GRACE)["RateLimit-Policy"]


def plan_of(request: Any) -> str | None:
    return "large" if request.user.pk == "large" else None


def test_a_shadow_policy_refuses_no_request_and_has_no_field(
    api: Client, settings: Settings
) -> None:
    set_policies(settings, messages={"rate": "1/d", "by": "user", "shadow": True})
    answers = [api.post("/limited/", headers=GRACE) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert "messages" not in answers[-1]["RateLimit"]


def test_a_shadow_that_cannot_pay_does_not_stop_the_other_charges(
    api: Client, settings: Settings, store: BucketStore
) -> None:
    shadow = {"rate": "1/d", "by": "user", "shadow": True}
    set_policies(settings, api="200/d", messages=shadow)
    for _ in range(3):
        api.post("/limited/", headers=GRACE)
    assert _left(store, "api:grace", "200/d") == 197
    assert store.most_refused() == []


def test_nothing_is_limited_and_no_field_is_sent_when_switched_off(
    api: Client, settings: Settings
) -> None:
    settings.THROTTLING = {
        "ENABLED": False,
        "POLICIES": {**settings.THROTTLING["POLICIES"], "api": "1/m"},
    }
    answers = [api.get("/limited/", headers=GRACE) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert "RateLimit" not in answers[-1]


async def test_the_middleware_works_on_an_event_loop(
    settings: Settings, store: BucketStore
) -> None:
    from asgiref.sync import sync_to_async
    from django.http import HttpRequest, HttpResponse

    from throttling import limits
    from throttling.allowlist import Caller
    from throttling.middleware import RateLimitHeadersMiddleware

    async def view(request: HttpRequest) -> HttpResponse:
        request.throttle = await sync_to_async(limits.charge)("anon", "x", caller=Caller())  # type: ignore[attr-defined]  # as the throttle does
        return HttpResponse(status=304)

    answer = await RateLimitHeadersMiddleware(view)(HttpRequest())  # type: ignore[misc]  # async here
    assert answer["RateLimit"] == '"anon";r=60;t=60'
