from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery.limits import breaker, holds
from delivery.models import BreakerState, BreakerTransition
from tests.delivery.accounts import account
from tests.delivery.dead_letters.conftest import MakeLetter

pytestmark = pytest.mark.django_db

PAGE = "/admin/delivery/breakertransition/"


@pytest.mark.parametrize(
    ("order", "state"),
    [
        ("open", BreakerState.FORCED_OPEN),
        ("close", BreakerState.FORCED_CLOSED),
        ("auto", BreakerState.CLOSED),
    ],
)
def test_an_order_takes_effect(
    order: str, state: BreakerState, client: Client, support: User
) -> None:
    assert client.post(f"{PAGE}order/", {"order": order, "reason": "A test."}).status_code == 302
    assert breaker.current(account(), timezone.now()).state == state
    assert client.get(PAGE).status_code == 200


@pytest.mark.parametrize(("order", "held"), [("open", True), ("close", False), ("auto", False)])
def test_closing_the_breaker_ends_a_hold(order: str, held: bool, client: Client) -> None:
    holds.hold(account(), "20100", "Insufficient funds", now=timezone.now())
    assert b"Insufficient funds" in client.get(PAGE).content
    client.post(f"{PAGE}order/", {"order": order, "reason": "A test."})
    assert (holds.current(account(), timezone.now()) is not None) == held


def test_an_order_needs_its_permission_and_a_post(client: Client, support: User) -> None:
    assert client.put(f"{PAGE}order/").status_code == 405
    assert client.post(f"{PAGE}order/", {"order": "explode"}).status_code == 404
    support.user_permissions.remove(
        support.user_permissions.get(codename="change_breakertransition")
    )
    order = {"order": "open", "reason": "A test."}
    assert client.post(f"{PAGE}order/", order).status_code == 403
    assert client.get(f"{PAGE}order/", order).status_code == 403
    assert breaker.current(account(), timezone.now()).state == BreakerState.CLOSED


def test_an_order_is_asked_with_what_it_means(client: Client, letter: MakeLetter) -> None:
    for status in ("queued", "retrying", "queued"):
        letter(status, dead_since=None, error_code="", ambiguous=False)
    page = client.get(f"{PAGE}order/", {"order": "open"}).content.decode()
    assert "3 texts of 1 church wait now." in page
    assert "expires" in page
    assert breaker.current(account(), timezone.now()).state == BreakerState.CLOSED


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "Give a reason"),
        ({"reason": "A test.", "ends": "at"}, "Fill in the time"),
        ({"reason": "A test.", "ends": "at", "until": "2020-01-01T00:00"}, "in the next 30 days"),
        ({"reason": "A test.", "ends": "at", "until": "yesterday"}, "valid date/time"),
    ],
)
def test_an_order_without_a_reason_or_a_usable_end_is_refused(
    given: dict[str, str], complaint: str, client: Client
) -> None:
    answer = client.post(f"{PAGE}order/", {"order": "open", **given})
    assert (answer.status_code, complaint in answer.content.decode()) == (422, True)
    assert breaker.current(account(), timezone.now()).state == BreakerState.CLOSED


def test_an_order_ends_by_itself_and_the_history_says_who_and_why(
    client: Client, support: User
) -> None:
    given = {"order": "open", "reason": "Telnyx works on it.", "ends": "4"}
    client.post(f"{PAGE}order/", given)
    now = timezone.now()
    view = breaker.current(account(), now)
    assert view.until is not None
    page = client.get(PAGE).content.decode()
    assert "support stopped all calls: Telnyx works on it." in page
    later = view.until + timedelta(seconds=1)
    assert breaker.current(account(), later).state == BreakerState.CLOSED
    breaker.end_expired(later)
    breaker.end_expired(later)
    moved = list(BreakerTransition.objects.order_by("pk").values_list("after", "reason", "by"))
    assert moved == [
        ("forced_open", "Telnyx works on it.", support.pk),
        ("closed", "the time of the order was over", None),
    ]


def test_the_box_of_an_account_is_red_only_while_nothing_is_sent(client: Client) -> None:
    assert b'data-tone="bad"' not in client.get(PAGE).content
    client.post(f"{PAGE}order/", {"order": "open", "reason": "A test."})
    assert b'data-tone="bad"' in client.get(PAGE).content
