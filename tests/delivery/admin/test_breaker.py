from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery.limits import breaker, holds
from delivery.models import BreakerState
from tests.delivery.accounts import account

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
    assert client.post(f"{PAGE}order/", {"order": order}).status_code == 302
    assert breaker.current(account(), timezone.now()).state == state
    assert client.get(PAGE).status_code == 200


@pytest.mark.parametrize(("order", "held"), [("open", True), ("close", False), ("auto", False)])
def test_closing_the_breaker_ends_a_hold(order: str, held: bool, client: Client) -> None:
    holds.hold(account(), "20100", "Insufficient funds", now=timezone.now())
    assert b"Insufficient funds" in client.get(PAGE).content
    client.post(f"{PAGE}order/", {"order": order})
    assert (holds.current(account(), timezone.now()) is not None) == held


def test_an_order_needs_its_permission_and_a_post(client: Client, support: User) -> None:
    assert client.get(f"{PAGE}order/").status_code == 405
    assert client.post(f"{PAGE}order/", {"order": "explode"}).status_code == 403
    support.user_permissions.remove(
        support.user_permissions.get(codename="change_breakertransition")
    )
    assert client.post(f"{PAGE}order/", {"order": "open"}).status_code == 403
    assert breaker.current(account(), timezone.now()).state == BreakerState.CLOSED
