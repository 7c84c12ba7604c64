"""The pages that slow an account or a number."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from delivery.limits import slowdowns
from delivery.models import Slowdown
from delivery.providers import registry
from koinonia.models import Church
from tests.delivery.redis_state import fresh

pytestmark = pytest.mark.django_db

LIST, ADD = "/admin/delivery/slowdown/", "/admin/delivery/slowdown/add/"
ORDER = {"provider": "telnyx", "rate": "5", "reason": "The carrier asked us.", "ends": "1"}


@pytest.fixture(autouse=True)
def paced(settings: Any) -> None:
    fresh(settings, ACCOUNT_RATE=40, SENDER_RATE=30).close()


def test_an_account_is_slowed_with_a_reason_and_an_end(client: Client) -> None:
    page = client.get(f"{ADD}?provider=telnyx").content.decode()
    assert "The usual pace is 40. Choose less." in page
    assert "When a person ends it" not in page
    answer = client.post(ADD, ORDER, follow=True).content.decode()
    assert "elnyx: at most 5 parts a second from now on." in answer
    row = Slowdown.objects.get()
    assert (row.account, row.sender, row.rate) == (registry.accounts()[0].name, "", 5)
    assert str(row.by) == "support"
    assert (row.until - row.since).total_seconds() == 3600
    assert "The carrier asked us." in LogEntry.objects.get().change_message
    breaker_page = client.get("/admin/delivery/breakertransition/").content.decode()
    assert "Slowed to 5 parts a second" in breaker_page
    assert ">slowed</span>" in breaker_page


def test_the_number_of_a_church_is_slowed_and_found_by_its_name(
    client: Client, grace: Church
) -> None:
    found = client.get(f"{ADD}?q=grace").content.decode()
    assert f'href="?tenant={grace.pk}"' in found
    assert 'href="?provider=telnyx"' in found
    form = client.get(f"{ADD}?tenant={grace.pk}").content.decode()
    assert "The usual pace is 30" in form
    order = {**ORDER, "tenant": grace.pk, "sender": grace.phone_number}
    client.post(ADD, order)
    assert Slowdown.objects.get().sender == grace.phone_number
    assert f"telnyx, from {grace.phone_number}" in client.get(LIST).content.decode()


def test_a_church_without_a_number_is_named_and_another_asked_for(
    client: Client, grace: Church
) -> None:
    Church.objects.filter(pk=grace.pk).update(phone_number=None)
    page = client.get(f"{ADD}?tenant={grace.pk}").content.decode()
    assert "Grace Church has no sending number." in page
    assert "Name of the church" in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rate": "40"}, "The usual pace is 40 parts a second: choose less."),
        ({"rate": "0.01"}, "greater than or equal to 0.1"),
        ({"rate": "nan"}, "Enter a number."),
        ({"rate": ""}, "This field is required."),
        ({"reason": ""}, "Give a reason"),
        ({"ends": ""}, "This field is required."),
        ({"ends": "at"}, "Fill in the time"),
        ({"ends": "at", "until": "2001-01-01T10:00"}, "in the next 30 days"),
    ],
)
def test_a_wrong_order_comes_back_with_a_sentence(
    client: Client, change: dict[str, str], sentence: str
) -> None:
    answer = client.post(ADD, {**ORDER, **change})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Slowdown.objects.exists()


def test_a_number_that_is_not_of_the_church_is_refused(client: Client, grace: Church) -> None:
    order = {**ORDER, "tenant": grace.pk, "sender": "+13125559999"}
    assert client.post(ADD, order).status_code == 422
    assert not Slowdown.objects.exists()


def test_the_usual_pace_is_ordered_with_a_reason(client: Client) -> None:
    client.post(ADD, ORDER)
    row = Slowdown.objects.get()
    url = f"{LIST}{row.pk}/end/"
    assert url in client.get(LIST).content.decode()
    assert client.post(url, {}).status_code == 422
    client.post(url, {"reason": "It is settled."})
    assert slowdowns.rates(timezone.now()) == {}
    assert "ended by support: It is settled." in client.get(LIST).content.decode()
    gone = client.get(url, follow=True).content.decode()
    assert "This slowdown has ended already." in gone
