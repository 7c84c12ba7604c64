"""The figures of Today: of this church, of today in its zone, without reading all texts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery.limits import breaker, holds
from delivery.models import BreakerState, OptOut
from delivery.providers import registry
from koinonia import ids
from koinonia.models import Broadcast, Church
from koinonia.texts.send import send_text
from tests.console.pages import Costs
from tests.koinonia.inbox.conftest import receive, send
from tests.support import cast

API = "/api/v1/churches/grace/"
JSON = "application/json"


@pytest.fixture
def client(grace_owner: User) -> Client:
    client = Client()
    client.force_login(grace_owner)
    return client


def today(client: Client) -> str:
    return " ".join(client.get("/churches/grace/").content.decode().split())


def test_an_empty_church_reads_what_to_do(client: Client) -> None:
    page = today(client)
    assert "No text waits." in page
    assert "Nothing is scheduled." in page
    assert 'href="/churches/grace/send/"' in page


def test_the_page_begins_with_the_unread_texts(client: Client, grace: Church, costs: Costs) -> None:
    assert "Unread texts" not in today(client)
    for number in range(4):
        receive(grace, f"Reply {number}.", f"+131255501{number:02}")
    page = today(client)
    assert page.index("Unread texts") < page.index("Reply 3.") < page.index("Reply 1.")
    assert "Reply 0." not in page, "The inbox has the others."
    send(grace, "An answer", "+13125550103")
    assert "Reply 3." in today(client)
    costs.of(client, "/churches/grace/")
    send_at = (timezone.now() + timedelta(days=1)).isoformat()
    client.post(f"{API}messages/", {"to": "+13125550142", "text": "Soon", "send_at": send_at}, JSON)
    assert "An answer" not in today(client)
    costs.of(client, "/churches/grace/")


def test_a_new_church_reads_the_first_steps_until_its_first_text(
    client: Client, grace: Church, grace_sender: User, grace_viewer: User, costs: Costs
) -> None:
    assert "First steps" in today(client)
    assert 'href="/churches/grace/members/import/"' in today(client)
    assert "Invite your colleagues" in today(client)
    costs.of(client, "/churches/grace/")
    client.force_login(grace_sender)
    assert "Invite your colleagues" not in today(client)
    client.force_login(grace_viewer)
    assert "First steps" not in today(client)
    client.force_login(grace_sender)
    Church.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert "First steps" not in today(client)
    Church.objects.update(created_at=timezone.now())
    assert "First steps" in today(client)
    send_text(grace, "Hello", to="+13125550142", author=grace_sender, now=timezone.now())
    assert "First steps" not in today(client)


def test_the_page_names_the_texts_that_wait_and_those_that_go_next(
    client: Client, grace: Church, hope: Church
) -> None:
    mary = cast.member(grace, "Mary", "+13125550142")
    sunday = timezone.now() + timedelta(days=3)
    body = {"member": ids.encode(mary.pk), "text": "The picnic is on Sunday."}
    assert client.post(f"{API}messages/", {**body, "text": "Hello"}, JSON).status_code == 202
    later = {**body, "send_at": sunday.isoformat()}
    assert client.post(f"{API}messages/", later, JSON).status_code == 202
    everyone = {"audience": {"all": True}, "text": "To all", "send_at": sunday.isoformat()}
    assert client.post(f"{API}broadcasts/", everyone, JSON).status_code == 202
    OptOut.objects.create(
        tenant=grace, number="+13125550143", source="staff", created_at=timezone.now()
    )
    OptOut.objects.create(
        tenant=hope, number="+13125550144", source="staff", created_at=timezone.now()
    )
    page = today(client)
    assert "1 text waits for its turn." in page
    assert "The picnic is on Sunday." in page
    assert "to Mary" in page
    assert "to 1 person" in page
    [planned] = Broadcast.objects.values_list("pk", flat=True)
    assert f'href="/churches/grace/sent/broadcasts/{ids.encode(planned)}/"' in page
    assert page.count('href="/churches/grace/sent/texts/') == 3, "the text, and two figures"
    assert "1 number opted out this month." in page


def test_people_who_opted_out_are_not_counted_for_the_next_broadcast(
    client: Client, grace: Church
) -> None:
    cast.member(grace, "Mary", "+13125550142")
    cast.member(grace, "Ben", "+13125550143")
    OptOut.objects.create(
        tenant=grace, number="+13125550143", source="staff", created_at=timezone.now()
    )
    sunday = (timezone.now() + timedelta(days=3)).isoformat()
    everyone = {"audience": {"all": True}, "text": "To all", "send_at": sunday}
    assert client.post(f"{API}broadcasts/", everyone, JSON).status_code == 202
    assert "to 1 person" in today(client)


def test_the_banner_says_why_texts_wait(client: Client) -> None:
    assert b"data-tone" not in client.get("/churches/grace/parts/banner/").content
    account, now = registry.account("telnyx"), timezone.now()
    holds.hold(account, "20012", "Payment required", now=now)
    page = client.get("/churches/grace/parts/banner/").content.decode()
    assert "Telnyx does not accept our texts." in page
    holds.end(account, by="support", now=now)
    breaker.force(account, BreakerState.FORCED_OPEN, by=None, reason="a test", now=now)
    page = client.get("/churches/grace/parts/banner/").content.decode()
    assert "Your support has stopped all sending." in page


def test_a_full_page_costs_few_queries(client: Client, grace: Church, costs: Costs) -> None:
    mary = cast.member(grace, "Mary", "+13125550142")
    for _ in range(3):
        body = {"member": ids.encode(mary.pk), "text": "Hello"}
        client.post(f"{API}messages/", body, JSON)
    costs.of(client, "/churches/grace/")
