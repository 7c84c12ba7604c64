"""Requests, texts, calls and webhooks are counted under bounded labels."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import resolve
from django.utils import timezone
from prometheus_client import REGISTRY

from delivery.models import Outcome
from delivery.signals import calls_settled, events_applied, webhook_answered
from delivery.statuses import Status
from httpopt.signals import body_encoded
from koinonia.health.metrics import church_sizes, requests
from koinonia.models import Church
from realtime.signals import clients_changed, events_fanned_out


def _value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def _answered(path: str, status: int = 200, *, held: bool = False, method: str = "GET") -> None:
    request = RequestFactory().generic(method, path)
    request.resolver_match = resolve(path)
    requests.count(request, HttpResponse(b"12345", status=status), 0.02, held=held)


def test_a_request_counts_under_the_name_of_its_route() -> None:
    labels = {"route": "api:messages", "method": "GET"}
    before = (
        _value("koinonia_requests_total", **labels, status="304"),
        _value("koinonia_request_seconds_count", **labels),
        _value("koinonia_response_bytes_total", route="api:messages"),
    )
    for church in ("grace", "hope"):
        _answered(f"/api/v1/churches/{church}/messages/", 304)
    assert (
        _value("koinonia_requests_total", **labels, status="304"),
        _value("koinonia_request_seconds_count", **labels),
        _value("koinonia_response_bytes_total", route="api:messages"),
    ) == (before[0] + 2, before[1] + 2, before[2] + 10)


def test_a_held_poll_has_no_duration() -> None:
    labels = {"route": "api:events", "method": "GET"}
    before = (
        _value("koinonia_requests_total", **labels, status="200"),
        _value("koinonia_request_seconds_count", **labels),
    )
    _answered("/api/v1/churches/grace/events/", held=True)
    assert (
        _value("koinonia_requests_total", **labels, status="200"),
        _value("koinonia_request_seconds_count", **labels),
    ) == (before[0] + 1, before[1])


def test_unknown_methods_and_paths_share_a_label() -> None:
    request = RequestFactory().generic("BREW", "/tea/")
    before = _value("koinonia_requests_total", route="none", method="other", status="404")
    requests.count(request, HttpResponse(status=404), 0.01, held=False)
    assert (
        _value("koinonia_requests_total", route="none", method="other", status="404") == before + 1
    )


def test_pages_of_the_admin_are_one_route() -> None:
    before = _value("koinonia_requests_total", route="admin", method="GET", status="200")
    _answered("/admin/koinonia/church/")
    assert (
        _value("koinonia_requests_total", route="admin", method="GET", status="200") == before + 1
    )


def test_probes_are_not_counted() -> None:
    before = _value("koinonia_requests_total", route="none", method="GET", status="200")
    requests.count(RequestFactory().get("/healthz"), HttpResponse(), 0.01, held=False)
    assert _value("koinonia_requests_total", route="none", method="GET", status="200") == before


def test_saved_bytes_are_the_difference_of_two_counters() -> None:
    before = [_value("koinonia_compressed_bytes_total", stage=each) for each in ("before", "after")]
    body_encoded.send(None, before=1000, after=300)
    after = [_value("koinonia_compressed_bytes_total", stage=each) for each in ("before", "after")]
    assert after == [before[0] + 1000, before[1] + 300]


def test_clients_and_their_events_are_counted() -> None:
    before = (
        _value("koinonia_clients", transport="socket"),
        _value("koinonia_events_fanned_out_total"),
    )
    clients_changed.send(None, transport="socket", change=1)
    events_fanned_out.send(None, events=3, listeners=4)
    assert _value("koinonia_clients", transport="socket") == before[0] + 1
    assert _value("koinonia_events_fanned_out_total") == before[1] + 12
    clients_changed.send(None, transport="socket", change=-1)
    assert _value("koinonia_clients", transport="socket") == before[0]


def _message(church: Church, **given: Any) -> SimpleNamespace:
    now = timezone.now()
    return SimpleNamespace(
        **{
            "tenant_id": church.pk, "provider": "telnyx", "status": Status.ACCEPTED,
            "priority": 0, "next_attempt_at": now, "batch": None, **given,
        }
    )  # fmt: skip


@pytest.mark.django_db
def test_a_call_counts_its_outcome_its_time_and_its_lateness(grace: Church) -> None:
    church_sizes._known.pop(grace.pk, None)
    labels = {"outcome": str(Outcome.ACCEPTED), "provider": "telnyx", "church_size": "unknown"}
    before = (
        _value("koinonia_calls_total", **labels),
        _value("koinonia_call_seconds_sum", provider="telnyx"),
        _value("koinonia_lateness_seconds_sum", priority="reply"),
    )
    message = _message(grace)
    result = SimpleNamespace(
        message=message,
        outcome=SimpleNamespace(kind=Outcome.ACCEPTED),
        seconds=0.5,
        started_at=message.next_attempt_at + timedelta(seconds=2),
    )
    calls_settled.send(None, results=[result])
    assert _value("koinonia_calls_total", **labels) == before[0] + 1
    assert _value("koinonia_call_seconds_sum", provider="telnyx") == pytest.approx(before[1] + 0.5)
    assert _value("koinonia_lateness_seconds_sum", priority="reply") == pytest.approx(before[2] + 2)


@pytest.mark.django_db
def test_webhooks_count_their_answer_and_the_wait_of_their_events() -> None:
    before = (
        _value("koinonia_webhooks_total", provider="telnyx", status="400"),
        _value("koinonia_webhook_lag_seconds_sum", provider="telnyx"),
    )
    webhook_answered.send(None, provider="telnyx", status=400)
    now = timezone.now()
    event = SimpleNamespace(provider="telnyx", received_at=now - timedelta(seconds=4))
    events_applied.send(None, events=[event], now=now)
    assert _value("koinonia_webhooks_total", provider="telnyx", status="400") == before[0] + 1
    assert _value("koinonia_webhook_lag_seconds_sum", provider="telnyx") == pytest.approx(
        before[1] + 4
    )


@pytest.mark.django_db
def test_the_size_of_a_church_is_read_between_drains(grace: Church) -> None:
    church_sizes._known.pop(grace.pk, None)
    assert church_sizes.size_of(grace.pk) == "unknown"
    church_sizes.read_wanted()
    assert church_sizes.size_of(grace.pk) == "small"
    church_sizes._known.pop(grace.pk)


@pytest.mark.django_db(transaction=True)
def test_a_text_is_counted_after_the_commit_alone() -> None:
    from django.db import transaction

    from koinonia.health.metrics import deliveries

    labels = {"outcome": "failed", "provider": "telnyx", "church_size": "unknown"}
    change = SimpleNamespace(
        message=SimpleNamespace(status=Status.FAILED, provider="telnyx", tenant_id=-1),
        previous=Status.SENT,
    )
    before = _value("koinonia_texts_total", **labels)
    with transaction.atomic():
        deliveries.on_messages_changed(changes=[change])  # type: ignore[list-item]  # what it reads
        transaction.set_rollback(True)
    assert _value("koinonia_texts_total", **labels) == before
    with transaction.atomic():
        deliveries.on_messages_changed(changes=[change])  # type: ignore[list-item]  # as above
    assert _value("koinonia_texts_total", **labels) == before + 1
