"""The first page of the admin: what is wrong, and the figures behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery.dead_letters import care, discard
from delivery.desk import overview
from delivery.limits import breaker, holds, slowdowns, stops
from delivery.models import BreakerState, Message, WebhookEvent
from delivery.providers import registry
from koinonia import ids
from koinonia.accounts.support_group import SUPPORT
from koinonia.console import trouble
from koinonia.health import heartbeat
from koinonia.models import Church, WebhookEndpoint
from realtime.models import Event
from tests.delivery.dead_letters.conftest import MakeLetter, letter
from tests.delivery.limits.breaker.conftest import valkey
from tests.support.webhooks import happen, webhook

__all__ = ["letter", "valkey"]
pytestmark = pytest.mark.django_db

PAGE, PART = "/admin/", "/admin/desk/overview/"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each request read the figures."""
    overview.kept.forget()
    monkeypatch.setattr(overview, "KEPT_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def a_worker_runs(valkey: redis.Redis) -> None:
    heartbeat._beats.get().written = float("-inf")
    heartbeat.beat_of_worker(timezone.now())


@pytest.fixture
def client(db: None) -> Client:
    user = User.objects.create_user("support", is_staff=True)
    user.groups.add(Group.objects.get(name=SUPPORT))
    client = Client()
    client.force_login(user)
    return client


def verdict(client: Client) -> str:
    page = client.get(PART).content.decode()
    return page.partition('<p role="status"><strong>')[2].partition("</strong>")[0]


def test_a_desk_without_trouble_says_so(client: Client) -> None:
    assert verdict(client) == "Nothing is wrong: texts go out."
    assert "Nothing is wrong" in client.get(PAGE).content.decode()


def test_each_trouble_is_named_the_worst_first(
    client: Client, letter: MakeLetter, grace: Church
) -> None:
    now, account = timezone.now(), registry.accounts()[0]
    letter(dead_since=now - timedelta(minutes=5), updated_at=now)
    assert verdict(client) == "1 text died in the last hour."
    stops.stop(grace.pk, by=None, reason="The office asked us.", now=now)
    page = client.get(PART).content.decode()
    assert "A person has stopped the texts of Grace" in page
    assert "The office asked us." in page
    breaker.force(account, BreakerState.FORCED_OPEN, by=None, reason="A test.", now=now)
    assert verdict(client) == "telnyx: The operator stopped all calls: A test."
    breaker.release(account, by=None, now=now)
    holds.hold(account, "20100", "Insufficient funds", now=now)
    assert verdict(client).startswith("telnyx: Telnyx does not accept our texts (code 20100")


def test_a_slowed_account_and_slowed_numbers_are_named(client: Client, grace: Church) -> None:
    now, account = timezone.now(), registry.accounts()[0]
    order: Any = {"by": None, "reason": "The carrier asked us.", "until": now + timedelta(hours=1)}
    slowdowns.slow(account, sender=grace.phone_number or "", rate=1, now=now, **order)
    assert verdict(client) == "telnyx: A person has slowed 1 number."
    slowdowns.slow(account, rate=5, now=now, **order)
    expected = "telnyx: A person has slowed the account to 5 parts a second, and 1 number besides."
    assert verdict(client) == expected
    page = client.get(PART).content.decode()
    assert f"Slowed from {grace.phone_number} to 1 part a second" in page
    assert "The carrier asked us." in page


def test_a_slowdown_is_told_to_the_pages_of_its_churches_and_leaves_a_stop_as_it_is(
    grace: Church, hope: Church, django_capture_on_commit_callbacks: Any
) -> None:
    now, account = timezone.now(), registry.accounts()[0]
    order: Any = {"by": None, "reason": "A test.", "until": now + timedelta(hours=1), "now": now}
    stops.stop(hope.pk, by=None, reason="A test.", now=now)
    with django_capture_on_commit_callbacks(execute=True):
        slowdowns.slow(account, sender=grace.phone_number or "", rate=1, **order)
    with django_capture_on_commit_callbacks(execute=True):
        slowdowns.slow(account, rate=2, **order)
    told = Event.objects.order_by("pk").values_list("stream__key", "body")
    states = [(key, "forced_open" if "forced_open" in body else "closed") for key, body in told]
    assert states[0] == ("church:grace", "closed")
    assert set(states[1:]) == {("church:grace", "closed"), ("church:hope", "forced_open")}


@pytest.mark.parametrize("whole", [True, False])
def test_the_office_that_sends_more_slowly_reads_it_and_until_when(
    whole: bool, grace: Church, grace_sender: User, hope_owner: User
) -> None:
    now, account = timezone.now(), registry.accounts()[0]
    slowdowns.slow(
        account, sender="" if whole else grace.phone_number or "", rate=1, by=None,
        reason="Secret words of support.", until=now + timedelta(hours=3), now=now,
    )  # fmt: skip
    trouble.forget()
    office, other = Client(), Client()
    office.force_login(grace_sender)
    other.force_login(hope_owner)
    words = "Your support lets texts go out more slowly until"
    page = office.get("/churches/grace/").content.decode()
    assert words in page
    assert "Secret words" not in page
    assert (words in other.get("/churches/hope/").content.decode()) == whole
    trouble.forget()


def test_texts_and_webhooks_that_wait_too_long_are_named(
    client: Client, letter: MakeLetter
) -> None:
    late = timezone.now() - timedelta(minutes=12)
    text = letter("queued", dead_since=None, next_attempt_at=late, error_code="", ambiguous=False)
    assert verdict(client) == ("A text has been due for 12 minutes: see whether the workers run.")
    text.delete()
    WebhookEvent.objects.create(
        event_id="1", event_type="message.finalized", occurred_at=late, received_at=late, due_at=late,
        payload={},
    )  # fmt: skip
    assert verdict(client) == ("Webhooks have waited for 12 minutes: see whether the workers run.")


def test_a_desk_without_a_worker_or_without_redis_says_so(
    client: Client, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey.flushall()
    assert b"not known yet" in client.get(PART).content
    heartbeat._write("web", timezone.now(), timezone.now())
    assert verdict(client) == "No worker runs: texts wait until one is started."
    monkeypatch.setattr(heartbeat, "alive", lambda now: None)
    assert verdict(client) == "Redis does not answer: sending is slower, and loses nothing."


def test_processes_are_counted_by_kind_until_they_are_silent(valkey: redis.Redis) -> None:
    now = timezone.now()
    heartbeat._write("web", now, now)
    found = heartbeat.alive(now) or []
    assert [one.kind for one in found] == ["web", "worker"]
    assert heartbeat.alive(now + heartbeat.ALIVE_FOR + timedelta(seconds=5)) == []
    heartbeat._write("web", now, now + timedelta(hours=2))
    assert len(valkey.hgetall(heartbeat._key())) == 1


def test_dead_letters_are_counted_by_cause_with_links(client: Client, letter: MakeLetter) -> None:
    for index in range(3):
        letter(to_number=f"+1312555000{index}")
    letter(error_code="40310", error_class="permanent", to_number="+13125550008")
    page = client.get(PART).content.decode()
    assert (
        'href="/admin/delivery/deadletter/?error_code=http_503">http_503</a></th><td class="number">3'
        in page
    )
    assert "error_code=40310" in page
    assert "+1312555" not in page


def test_the_part_is_sent_again_only_if_it_changed(client: Client, letter: MakeLetter) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        first = client.get(PART)
        again = client.get(PART, headers={"If-None-Match": first["ETag"]})
        letter()
        changed = client.get(PART, headers={"If-None-Match": first["ETag"]})
    assert "no-store" not in first["Cache-Control"]
    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200


def test_the_figures_cost_as_many_queries_however_long_the_queue(
    client: Client, letter: MakeLetter
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(PART)
        return len(queries)

    before = cost()
    for index in range(60):
        letter(to_number=f"+1312555{index:04}", error_code=str(index))
        letter("queued", dead_since=None, error_code="", ambiguous=False, batch=index)
    assert cost() <= before + 1
    assert before <= 40


def test_desks_of_one_process_share_a_result(
    client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(overview, "KEPT_SECONDS", 60.0)
    client.get(PART)
    # Session, user and rights; the figures are kept.
    with django_assert_max_num_queries(6):
        client.get(PART)


def test_a_stop_is_told_to_the_pages_of_its_church_and_of_no_other(
    grace: Church, hope: Church, django_capture_on_commit_callbacks: Any
) -> None:
    now = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        stops.stop(grace.pk, by=None, reason="A test.", now=now)
    with django_capture_on_commit_callbacks(execute=True):
        stops.start(grace.pk, by=None, now=now)
    told = list(Event.objects.order_by("pk").values_list("stream__key", "type", "body"))
    assert [(key, kind) for key, kind, _ in told] == [("church:grace", "delivery.breaker")] * 2
    assert ["forced_open" in told[0][2], "closed" in told[1][2]] == [True, True]


def test_the_webhooks_of_churches_are_a_part_and_late_ones_a_trouble(
    client: Client, grace: Church
) -> None:
    webhook(grace, "https://hooks.example.org/")
    assert "none is late" in client.get(PART).content.decode()
    happen(grace, 1, 2)
    then = timezone.now() - timedelta(minutes=10)
    Event.objects.update(at=then)
    WebhookEndpoint.objects.update(created_at=then)
    assert verdict(client).startswith("The webhooks of churches have not been sent for 10 minutes")
    assert "2, the oldest for 10 minutes" in client.get(PART).content.decode()


@pytest.mark.parametrize("until", [None, timedelta(hours=3)])
def test_the_office_of_a_stopped_church_reads_that_its_texts_wait(
    until: timedelta | None, grace: Church, grace_sender: User, hope_owner: User
) -> None:
    now = timezone.now()
    end = now + until if until else None
    stops.stop(grace.pk, by=None, reason="Secret words of support.", until=end, now=now)
    office, other = Client(), Client()
    office.force_login(grace_sender)
    other.force_login(hope_owner)
    page = office.get("/churches/grace/").content.decode()
    assert "Your support has stopped the texts of your church" in page
    assert ("church until" in page) == (until is not None)
    assert "Secret words" not in page
    assert "Your support has stopped" not in other.get("/churches/hope/").content.decode()


def test_a_dead_letter_leads_to_the_story_of_its_text(client: Client, letter: MakeLetter) -> None:
    text = letter()
    page = client.get(f"/admin/delivery/deadletter/{text.pk}/change/").content.decode()
    link = f"/admin/find/{ids.encode(text.pk)}/"
    assert f'href="{link}"' in page
    assert client.get(link).status_code == 200
    assert 'action="/admin/find/"' in client.get(PAGE).content.decode()


def test_a_trouble_leads_to_the_page_that_helps(client: Client, letter: MakeLetter) -> None:
    now = timezone.now()
    letter(dead_since=now - timedelta(minutes=5), updated_at=now)
    page = client.get(PART).content.decode()
    assert '<a href="/admin/delivery/deadletter/?age=1h">Dead letters</a>' in page


def test_the_desk_counts_the_letters_of_the_person_who_looks(
    client: Client, letter: MakeLetter
) -> None:
    me, now = User.objects.get(username="support"), timezone.now()
    mine, other = letter(), letter(to_number="+13125550002")
    care.assign(Message.objects.filter(pk=mine.pk), me, by=me, now=now)
    assert "Assigned to me (1)" in client.get(PART).content.decode()
    care.assign(Message.objects.filter(pk=other.pk), me, by=me, now=now)
    discard(mine, by=me, reason="The office said so.", now=now)
    assert "Assigned to me (1)" in client.get(PART).content.decode()
