from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient
from standardwebhooks.webhooks import Webhook

from koinonia.models import AuditEntry, Church, WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.people import personal_data
from koinonia.webhooks.event_types import EVENT_TYPES
from koinonia.webhooks.schedule import TRYING_FOR, next_try
from tests.support.webhook_receiver import WebhookReceiver
from tests.support.webhooks import Sender, deliveries, happen, webhook

PATH = "/api/v1/churches/grace/webhooks/"
BODY = {"name": "Website", "url": "https://hooks.example.org/", "types": ["message.received"]}


def post(client: APIClient, path: str, body: Any = None) -> Any:
    return client.post(path, {} if body is None else body, format="json")


def test_only_the_answer_of_the_creation_contains_the_secret(
    owner: APIClient, grace: Church
) -> None:
    made = post(owner, PATH, BODY)
    assert made.status_code == 201
    told = made.json()
    assert told["secret"].startswith("whsec_")
    assert (told["enabled"], told["off"], told["failing_since"]) == (True, "", None)
    assert made["Location"].endswith(f"{PATH}{told['id']}/")
    for path in (PATH, f"{PATH}{told['id']}/"):
        assert told["secret"] not in owner.get(path).content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://hooks.example.org/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://hooks.example.org:22/"}, "url"),
        ({"types": []}, "types"),
        ({"types": ["message.read"]}, "types.0"),
        ({"name": ""}, "name"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_bad_input_is_named_by_its_field(
    owner: APIClient, grace: Church, settings: Any, change: dict[str, Any], field: str
) -> None:
    settings.WEBHOOKS_TO_LOOPBACK = False
    answer = post(owner, PATH, BODY | change)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_a_church_has_at_most_ten_webhooks(owner: APIClient, grace: Church) -> None:
    for number in range(10):
        assert post(owner, PATH, BODY | {"name": f"Program {number}"}).status_code == 201
    assert post(owner, PATH, BODY).status_code == 400
    assert len(owner.get(PATH).json()["results"]) == 10


def test_a_change_needs_the_version_that_was_seen(owner: APIClient, grace: Church) -> None:
    made = post(owner, PATH, BODY).json()
    path = f"{PATH}{made['id']}/"
    changed = owner.patch(
        path, {"enabled": False}, format="json", headers={"If-Match": made["etag"]}
    )
    assert changed.status_code == 200
    assert (changed.json()["enabled"], changed.json()["off"]) == (False, "owner")
    stale = owner.delete(path, headers={"If-Match": made["etag"]})
    assert stale.status_code == 412
    assert owner.delete(path, headers={"If-Match": changed.json()["etag"]}).status_code == 204
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "webhook.added", "webhook.changed", "webhook.deleted",
    ]  # fmt: skip


def test_a_turn_of_a_worker_does_not_change_the_version(
    owner: APIClient, grace: Church, receiver: WebhookReceiver, sender: Sender
) -> None:
    made = post(owner, PATH, BODY | {"url": receiver.url}).json()
    happen(grace, 1)
    sender.idle()
    assert owner.get(f"{PATH}{made['id']}/").json()["etag"] == made["etag"]


def test_a_test_is_delivered_and_its_answer_is_listed(
    owner: APIClient, grace: Church, receiver: WebhookReceiver, sender: Sender
) -> None:
    made = post(owner, PATH, BODY | {"url": receiver.url}).json()
    queued = post(owner, f"{PATH}{made['id']}/test/")
    assert (queued.status_code, queued.json()["state"]) == (202, "waiting")
    sender.idle()
    (request,) = receiver.received
    told = Webhook(made["secret"]).verify(request.body, request.headers)
    assert (told["type"], told["data"]["name"]) == ("webhook.test", "Website")
    (listed,) = owner.get(f"{PATH}{made['id']}/deliveries/").json()["results"]
    assert (listed["id"], listed["state"], listed["status"]) == (
        queued.json()["id"], "delivered", 204,
    )  # fmt: skip


def test_during_a_rotation_both_secrets_verify(
    owner: APIClient, grace: Church, receiver: WebhookReceiver, sender: Sender
) -> None:
    made = post(owner, PATH, BODY | {"url": receiver.url}).json()
    rotated = post(owner, f"{PATH}{made['id']}/rotate/").json()
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secret_until"] is not None
    happen(grace, 1)
    sender.idle()
    (request,) = receiver.received
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(request.body, request.headers)


def test_a_delivery_is_sent_again_while_the_log_holds_its_event(
    owner: APIClient, grace: Church, receiver: WebhookReceiver, sender: Sender
) -> None:
    made = post(owner, PATH, BODY | {"url": receiver.url}).json()
    happen(grace, 1)
    sender.idle()
    (listed,) = owner.get(f"{PATH}{made['id']}/deliveries/?state=delivered").json()["results"]
    again = f"{PATH}{made['id']}/deliveries/{listed['id']}/redeliver/"
    assert post(owner, again).status_code == 202
    sender.idle()
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    WebhookDelivery.objects.update(seq=99)
    assert post(owner, again).status_code == 409
    since = {"since": (timezone.now() - timedelta(hours=1)).isoformat()}
    answer = post(owner, f"{PATH}{made['id']}/redeliver/", since)
    assert (answer.status_code, answer.json()) == (202, {"events": 1})


def test_a_webhook_that_is_off_refuses_tests_and_redeliveries(
    owner: APIClient, grace: Church
) -> None:
    made = webhook(grace, "https://hooks.example.org/")
    WebhookEndpoint.objects.update(off="failing", off_since=timezone.now())
    for act, body in (("test", {}), ("redeliver", {"since": timezone.now().isoformat()})):
        answer = post(owner, f"{PATH}{made.mark}/{act}/", body)
        assert answer.status_code == 409
        assert answer.json()["detail"] == "This webhook is off. Switch it on first."


def test_another_church_has_no_webhook_of_this_one(
    as_user: Any, hope_owner: User, grace: Church
) -> None:
    made = webhook(grace, "https://hooks.example.org/")
    other = as_user(hope_owner)
    for church in ("grace", "hope"):
        base = f"/api/v1/churches/{church}/webhooks/{made.mark}/"
        assert other.get(base).status_code == 404
        assert other.get(f"{base}deliveries/").status_code == 404
        for act in ("rotate", "test", "redeliver"):
            assert post(other, f"{base}{act}/").status_code == 404


def test_failed_deliveries_are_tried_over_24_hours() -> None:
    since = now = timezone.now()
    tries = 1
    while (at := next_try(tries, since, now, rng=lambda: 0.5)) is not None:
        assert at > now
        now, tries = at, tries + 1
    assert now - since == TRYING_FOR
    assert 10 <= tries <= 20


def test_the_types_are_those_of_the_protocol() -> None:
    from pathlib import Path

    page = Path(__file__).parents[3] / "docs" / "realtime-protocol.md"
    rows = page.read_text().partition("## Events")[2].partition("##")[0].splitlines()
    told = {row.split("`")[1] for row in rows if row.startswith("| `")}
    assert told - {"message.confirmed"} == set(EVENT_TYPES)


def test_old_deliveries_are_deleted_with_the_events(grace: Church) -> None:
    made = webhook(grace, "https://hooks.example.org/")
    old = timezone.now() - timedelta(days=8)
    for state, at, next_at in (
        ("delivered", old, None), ("waiting", old, old), ("delivered", timezone.now(), None),
    ):  # fmt: skip
        WebhookDelivery.objects.create(
            endpoint=made, event_id=f"evt_{state}_{at}", type="message.received", state=state,
            created_at=at, trying_since=at, next_at=next_at,
        )  # fmt: skip
    call_command("prune")
    assert sorted(one.state for one in deliveries(made)) == ["delivered", "waiting"]
    assert WebhookCursor.objects.filter(pk=made.pk).exists()


def test_an_erasure_forgets_what_receivers_have_answered(grace: Church) -> None:
    made = webhook(grace, "https://hooks.example.org/")
    now = timezone.now()
    WebhookDelivery.objects.create(
        endpoint=made, event_id="evt_1", type="message.received", state="failed", created_at=now,
        trying_since=now, excerpt="No place for +13125550111",
    )  # fmt: skip
    personal_data.erase("+13125550111", [grace], by="root", now=now)
    assert deliveries(made)[0].excerpt == ""
