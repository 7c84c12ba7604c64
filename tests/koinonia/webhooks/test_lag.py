"""The lag of outgoing webhooks: what waits, and what a worker should have sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from koinonia.models import Church, WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import lag as lags
from koinonia.webhooks.claim import claim
from koinonia.webhooks.lag import lag
from koinonia.webhooks.settle import switch_off
from realtime import log
from realtime.models import Event
from tests.support.webhook_receiver import WebhookReceiver, answer
from tests.support.webhooks import Sender, happen, make_due, webhook

HOUR = timedelta(hours=1)


def make_an_hour_old() -> None:
    """Move all events, webhooks and turns an hour into the past."""
    then = timezone.now() - HOUR
    Event.objects.update(at=then)
    WebhookEndpoint.objects.update(created_at=then - HOUR)
    WebhookCursor.objects.exclude(served_at=None).update(served_at=then - HOUR)


def test_without_webhooks_and_without_events_nothing_waits(grace: Church) -> None:
    assert lag(timezone.now()) == lags.Lag(
        working=0, failing=0, off={"owner": 0, "gone": 0, "failing": 0}, waiting=0,
        is_complete=True, oldest=None, late_since=None,
    )  # fmt: skip
    webhook(grace, "https://hooks.example.org/")
    found = lag(timezone.now())
    assert (found.working, found.waiting, found.late_since) == (1, 0, None)


def test_events_that_no_worker_sends_are_late(grace: Church, endpoint: WebhookEndpoint) -> None:
    happen(grace, 1, 2, 3)
    make_an_hour_old()
    now = timezone.now()
    found = lag(now)
    assert found.waiting == 3
    for since in (found.oldest, found.late_since):
        assert since is not None
        assert timedelta(minutes=59) < now - since < timedelta(minutes=61)


def test_a_webhook_that_a_worker_has_claimed_is_not_late(
    grace: Church, endpoint: WebhookEndpoint
) -> None:
    happen(grace, 1)
    make_an_hour_old()
    now = timezone.now()
    assert claim(now, 1)
    assert lag(now).late_since is None
    assert lag(now).oldest is not None
    after_its_death = now + timedelta(minutes=10)
    late_since = lag(after_its_death).late_since
    assert late_since is not None
    assert after_its_death - late_since < timedelta(minutes=9)


def test_events_for_a_dead_receiver_wait_and_are_not_late(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(503)
    happen(grace, *range(30))
    sender.idle()
    make_an_hour_old()
    now = timezone.now()
    found = lag(now)
    assert (found.working, found.failing, found.waiting) == (0, 1, 30)
    assert found.oldest is not None
    assert found.late_since is None


def test_a_delivery_whose_next_attempt_is_over_is_late(
    grace: Church, endpoint: WebhookEndpoint, receiver: WebhookReceiver, sender: Sender
) -> None:
    receiver.handler = answer(500)
    happen(grace, 1)
    sender.idle()
    assert lag(timezone.now()).late_since is None
    make_an_hour_old()
    make_due(endpoint, timezone.now() - HOUR / 2)
    now = timezone.now()
    late_since = lag(now).late_since
    assert late_since is not None
    assert timedelta(minutes=29) < now - late_since < timedelta(minutes=31)


def test_a_webhook_that_is_off_counts_by_its_reason_and_nothing_waits_for_it(
    grace: Church, endpoint: WebhookEndpoint
) -> None:
    happen(grace, 1)
    WebhookDelivery.objects.create(
        endpoint=endpoint, event_id="evt_1", type="message.received", created_at=timezone.now(),
        trying_since=timezone.now(), next_at=timezone.now(),
    )  # fmt: skip
    switch_off(endpoint, WebhookEndpoint.Off.FAILING, timezone.now())
    found = lag(timezone.now())
    assert (found.working, found.off["failing"], found.disabled) == (0, 1, 1)
    assert (found.waiting, found.oldest, found.late_since) == (0, None, None)


def test_a_bound_that_is_met_is_said(
    grace: Church, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Website", "Members", "Books"):
        webhook(grace, receiver.url, name=name)
    happen(grace, 1)
    assert lag(timezone.now()).is_complete
    monkeypatch.setattr(lags, "MOST_WEBHOOKS", 2)
    assert not lag(timezone.now()).is_complete


def test_a_restored_log_waits_to_be_told(grace: Church, endpoint: WebhookEndpoint) -> None:
    log.begin_epochs()
    assert lag(timezone.now()).waiting == 1
