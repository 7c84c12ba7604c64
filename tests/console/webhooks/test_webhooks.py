"""The pages of webhooks, without JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from koinonia.ids import encode
from koinonia.models import AuditEntry, Church, WebhookCursor, WebhookDelivery, WebhookEndpoint
from realtime.models import Stream
from tests.console.pages import Costs
from tests.support.webhooks import happen, webhook

BASE = "/churches/grace/webhooks/"
URL = "https://hooks.example.org/grace"


@pytest.fixture
def owner(grace_owner: User) -> Client:
    client = Client()
    client.force_login(grace_owner)
    return client


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def delivery(endpoint: WebhookEndpoint, **over: Any) -> WebhookDelivery:
    now = timezone.now()
    values = {
        "event_id": f"evt_{WebhookDelivery.objects.count()}", "type": "message.received",
        "state": "delivered", "status": 204, "seconds": 0.12, "attempts": 1, "created_at": now,
        "trying_since": now, "tried_at": now, **over,
    }  # fmt: skip
    return WebhookDelivery.objects.create(endpoint=endpoint, **values)


def test_an_owner_adds_a_webhook_and_sees_its_secret_once(owner: Client, grace: Church) -> None:
    given = {"name": "Website", "url": URL, "types": ["message.received", "note.created"]}
    shown = text_of(owner.post(f"{BASE}new/", given))
    made = WebhookEndpoint.objects.get()
    assert made.secret in shown
    assert (made.name, made.url, made.types) == ("Website", URL, given["types"])
    for page in ("", f"{made.mark}/", f"{made.mark}/edit/"):
        later = owner.get(f"{BASE}{page}")
        assert later.status_code == 200
        assert made.secret not in text_of(later)
    assert AuditEntry.objects.filter(action="webhook.added", church=grace).exists()


def test_a_wrong_address_comes_back_with_what_was_typed(owner: Client, grace: Church) -> None:
    given = {"name": "Website", "url": "https://127.0.0.1:80/", "types": ["note.created"]}
    answer = owner.post(f"{BASE}new/", given)
    assert answer.status_code == 422
    assert "https://127.0.0.1:80/" in text_of(answer)
    assert not WebhookEndpoint.objects.exists()


def test_a_webhook_is_changed_unless_a_colleague_was_faster(owner: Client, grace: Church) -> None:
    made = webhook(grace, URL)
    page = text_of(owner.get(f"{BASE}{made.mark}/edit/"))
    seen = re.search(r'name="version" value="(\d+)"', page)
    assert seen is not None
    given = {"name": "Members", "url": URL, "types": ["note.created"], "version": seen[1]}
    assert owner.post(f"{BASE}{made.mark}/edit/", given).status_code == 302
    assert WebhookEndpoint.objects.get().name == "Members"
    stale = owner.post(f"{BASE}{made.mark}/edit/", {**given, "name": "Other"})
    assert stale.status_code == 422
    assert "A colleague has saved this meanwhile" in text_of(stale)


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ({}, "It answered 204 No Content."),
        ({"state": "waiting", "status": 500, "error": "status", "next_at": timezone.now()},
         "It answered 500 Internal Server Error."),
        ({"state": "waiting", "status": None, "error": "timeout", "next_at": timezone.now()},
         "The receiver did not answer within 15 seconds."),
        ({"state": "failed", "status": 302, "error": "status"}, "a redirect, which is not followed."),
        ({"state": "lost", "status": None}, "does not hold this event any more."),
        ({"status": 799}, "It answered 799."),
    ],
)  # fmt: skip
def test_a_delivery_says_what_the_receiver_answered(
    owner: Client, grace: Church, over: dict[str, Any], sentence: str
) -> None:
    made = webhook(grace, URL)
    delivery(made, **over)
    assert sentence in text_of(owner.get(f"{BASE}{made.mark}/"))


def test_a_page_renews_itself_while_an_answer_is_a_matter_of_seconds(
    owner: Client, grace: Church
) -> None:
    made, now = webhook(grace, URL), timezone.now()
    path = f"{BASE}{made.mark}/"
    delivery(made, state="waiting", status=None, attempts=1, next_at=now + timedelta(minutes=5))
    assert "hx-trigger" not in text_of(owner.get(path)).partition('id="sent"')[2]
    owner.post(f"{path}test/")
    shown = text_of(owner.get(path))
    assert 'hx-trigger="load delay:2s"' in shown
    assert "On its way" in shown
    owner.post(f"{path}switch/", {"on": "0"})
    shown = text_of(owner.get(path))
    assert "load delay:2s" not in shown
    assert 'data-tone="warn">Waits' in shown


def test_events_that_the_log_has_deleted_are_told_on_the_page(owner: Client, grace: Church) -> None:
    made = webhook(grace, URL)
    happen(grace, *range(5))
    assert "not in the log any more" not in text_of(owner.get(f"{BASE}{made.mark}/"))
    Stream.objects.filter(key="church:grace").update(first_seq=4)
    assert "3 events are not in the log any more" in text_of(owner.get(f"{BASE}{made.mark}/"))


def test_a_second_rotation_says_which_secret_ends(owner: Client, grace: Church) -> None:
    made = webhook(grace, URL)
    path = f"{BASE}{made.mark}/rotate/"
    assert "ends the oldest secret" not in text_of(owner.get(path))
    owner.post(path)
    assert "This ends the oldest secret at once" in text_of(owner.get(path))


def test_the_deliveries_of_one_state_are_shown_in_pages(owner: Client, grace: Church) -> None:
    made = webhook(grace, URL)
    for _ in range(30):
        delivery(made)
    delivery(made, state="failed", status=500, error="status")
    answer = owner.get(f"{BASE}{made.mark}/")
    assert len(answer.context["lines"]) == 25
    assert "Show older" in text_of(answer)
    assert len(owner.get(f"{BASE}{made.mark}/?state=failed").context["lines"]) == 1


def test_a_test_a_switch_and_events_again_are_one_click_each(owner: Client, grace: Church) -> None:
    made = webhook(grace, URL)
    happen(grace, 1, 2)
    WebhookCursor.objects.filter(pk=made.pk).update(seq=2)
    assert owner.post(f"{BASE}{made.mark}/test/").status_code == 302
    assert WebhookDelivery.objects.get().type == "webhook.test"
    owner.post(f"{BASE}{made.mark}/again/", {"hours": "1"})
    assert WebhookCursor.objects.get().seq == 0
    owner.post(f"{BASE}{made.mark}/switch/", {"on": "0"})
    made.refresh_from_db()
    assert not made.enabled
    refused = owner.post(f"{BASE}{made.mark}/test/", follow=True)
    assert "This webhook is off. Switch it on first." in text_of(refused)
    owner.post(f"{BASE}{made.mark}/switch/", {"on": "1"})
    made.refresh_from_db()
    assert made.enabled


def test_a_delivery_is_sent_again(owner: Client, grace: Church) -> None:
    made = webhook(grace, URL)
    happen(grace, 1)
    sent = delivery(made, seq=1)
    owner.post(f"{BASE}{made.mark}/{sent.mark}/again/")
    sent.refresh_from_db()
    assert sent.state == "waiting"
    lost = delivery(made, seq=99)
    answer = owner.post(f"{BASE}{made.mark}/{lost.mark}/again/", follow=True)
    assert "does not hold this event any more" in text_of(answer)


def test_a_new_secret_is_shown_once_and_the_old_one_signs_for_a_day(
    owner: Client, grace: Church
) -> None:
    made = webhook(grace, URL)
    assert owner.get(f"{BASE}{made.mark}/rotate/").status_code == 200
    shown = text_of(owner.post(f"{BASE}{made.mark}/rotate/"))
    after = WebhookEndpoint.objects.get()
    assert after.secret in shown
    assert after.secrets(timezone.now()) == [after.secret, made.secret]
    assert after.secrets(timezone.now() + timedelta(hours=25)) == [after.secret]


def test_a_webhook_is_deleted_after_a_question(owner: Client, grace: Church) -> None:
    made = webhook(grace, URL)
    delivery(made)
    assert "Delete Website?" in text_of(owner.get(f"{BASE}{made.mark}/delete/"))
    assert owner.post(f"{BASE}{made.mark}/delete/").status_code == 302
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_owners_see_a_dead_webhook_on_each_page(
    owner: Client, grace: Church, grace_sender: User
) -> None:
    WebhookEndpoint.objects.filter(pk=webhook(grace, URL).pk).update(
        off="failing", off_since=timezone.now()
    )
    assert "A webhook is switched off" in text_of(owner.get("/churches/grace/more/"))
    assert "For 24 hours the receiver took no event" in text_of(owner.get(BASE))
    colleague = Client()
    colleague.force_login(grace_sender)
    assert "A webhook is switched off" not in text_of(colleague.get("/churches/grace/more/"))


@pytest.mark.parametrize("act", ["", "edit/", "test/", "switch/", "rotate/", "delete/", "again/"])
def test_another_office_finds_no_webhook_of_this_one(
    grace: Church, hope: Church, hope_owner: User, grace_sender: User, act: str
) -> None:
    made = webhook(grace, URL)
    other, sender = Client(), Client()
    other.force_login(hope_owner)
    sender.force_login(grace_sender)
    for base in ("/churches/grace/webhooks/", "/churches/hope/webhooks/"):
        for method in (other.get, other.post):
            assert method(f"{base}{made.mark}/{act}").status_code in {404, 405}
    assert sender.post(f"{BASE}{made.mark}/{act}").status_code == 403
    assert other.post(f"/churches/hope/webhooks/{encode(made.pk)}/{act}").status_code in {404, 405}
    assert WebhookEndpoint.objects.get().enabled


def test_the_pages_cost_few_queries(owner: Client, grace: Church, costs: Costs) -> None:
    made = webhook(grace, URL)
    for _ in range(30):
        delivery(made)
    for page in ("", f"{made.mark}/"):
        costs.of(owner, f"{BASE}{page}")
