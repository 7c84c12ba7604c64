"""The breaker page with several provider accounts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from delivery.limits import breaker
from delivery.models import BreakerState
from delivery.providers import registry

pytestmark = pytest.mark.django_db

OTHER = "other"


@pytest.fixture(autouse=True)
def two_accounts(settings: Any) -> None:
    other = {"BACKEND": "delivery.testing.ScriptedProvider"}
    providers = {**settings.DELIVERY["PROVIDERS"], OTHER: other}
    settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": providers}


def test_the_page_shows_and_orders_each_account(client: Client) -> None:
    url = "/admin/delivery/breakertransition/"
    page = client.get(url).content.decode()
    assert ("<strong>telnyx</strong>" in page, "<strong>other</strong>" in page) == (True, True)
    client.post(f"{url}order/", {"order": "open", "provider": OTHER, "reason": "A test."})
    now = timezone.now()
    here, there = registry.accounts()
    assert breaker.current(here, now).state == BreakerState.CLOSED
    assert breaker.current(there, now).state == BreakerState.FORCED_OPEN


def test_an_order_to_an_unknown_account_is_refused(client: Client) -> None:
    url = "/admin/delivery/breakertransition/order/"
    assert client.post(url, {"order": "open", "provider": "nobody"}).status_code == 404
