"""Events over HTTP, tickets, dead letters and the delivery report."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Attempt, Message, Outcome
from delivery.statuses import Status
from koinonia.ids import encode
from koinonia.models import Church

G = "/api/v1/churches/grace/"


@pytest.fixture
def office(client: Client, grace_sender: User) -> Client:
    client.force_login(grace_sender)
    return client


def letter(church: Church, status: Status = Status.DEAD, to: str = "+13125550155") -> str:
    now = timezone.now()
    message = Message.objects.create(
        tenant=church, to_number=to, from_number=church.phone_number, text="Hi", status=status,
        error_code="40001", error_title="Not routable", error_class="retryable", dead_since=now,
        created_at=now, updated_at=now,
    )  # fmt: skip
    return encode(message.pk)


@pytest.mark.django_db(transaction=True)
def test_a_client_reads_events_from_the_stream(office: Client) -> None:
    head = office.get(G + "events/").json()
    assert (head["stream"], head["events"]) == ("church:grace", [])
    body = {"to": "+13125550155", "text": "Hi"}
    sent = office.post(G + "messages/", body, content_type="application/json").json()
    page = office.get(G + "events/", {"after": head["to"], "epoch": head["epoch"]}).json()
    assert [event["type"] for event in page["events"]] == ["message.created"]
    assert page["events"][0]["data"]["id"] == sent["id"]


@pytest.mark.parametrize("path", [G + "events/", "/api/v1/me/events/"])
def test_a_bad_query_of_a_stream_is_a_problem(office: Client, path: str) -> None:
    answer = office.get(path, {"wait": "long", "after": "-1"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert sorted(answer.json()["errors"]) == ["after", "wait"]


@pytest.mark.django_db(transaction=True)
def test_a_stream_requires_authorization(client: Client, grace: Church, hope_owner: User) -> None:
    anonymous = client.get(G + "events/")
    assert (anonymous.status_code, anonymous["WWW-Authenticate"]) == (401, "Bearer")
    client.force_login(hope_owner)
    assert client.get(G + "events/").status_code == 404
    assert client.get("/api/v1/me/events/").json()["stream"] == "user:me"


def test_a_ticket_opens_one_socket(office: Client) -> None:
    answer = office.post("/api/v1/realtime/ticket/").json()
    assert list(answer) == ["ticket", "expires_in", "url"]
    assert (answer["expires_in"], answer["url"]) == (30, "ws://testserver/ws/v1/")


def test_a_dead_letter_is_read_and_sent_again(sender: APIClient, grace: Church) -> None:
    key = letter(grace)
    listed = sender.get(G + "dead-letters/").json()["results"]
    assert [item["id"] for item in listed] == [key]
    assert list(listed[0])[-3:] == ["dead_since", "reviewed_by", "discarded_reason"]
    again = sender.post(f"{G}dead-letters/{key}/retry/")
    assert (again.status_code, again.json()["status"]) == (202, "queued")
    assert sender.get(G + "dead-letters/").json()["results"] == []


def test_a_text_that_may_have_arrived_is_sent_again_only_with_may_double(
    sender: APIClient, grace: Church
) -> None:
    path = f"{G}dead-letters/{letter(grace, Status.UNKNOWN)}/retry/"
    assert sender.post(path, {}, format="json").status_code == 409
    assert sender.post(path, {"may_double": True}, format="json").status_code == 202


def test_a_discarded_dead_letter_leaves_the_list_and_keeps_its_reason(
    sender: APIClient, grace: Church
) -> None:
    path = f"{G}dead-letters/{letter(grace)}/"
    assert sender.post(f"{path}discard/", {}, format="json").status_code == 400
    answer = sender.post(f"{path}discard/", {"reason": "Moved away"}, format="json")
    assert (answer.status_code, answer.json()["discarded_reason"]) == (200, "Moved away")
    assert sender.get(G + "dead-letters/").json()["results"] == []
    assert sender.get(path).json()["discarded_reason"] == "Moved away"
    assert sender.post(f"{path}discard/", {"reason": "again"}, format="json").status_code == 409


@pytest.mark.parametrize("by", ["ids", "filter"])
def test_many_are_sent_again_and_the_refused_are_named(
    sender: APIClient, grace: Church, hope: Church, by: str
) -> None:
    dead, unknown = letter(grace), letter(grace, Status.UNKNOWN, "+13125550156")
    letter(hope)
    bodies: dict[str, dict[str, Any]] = {
        "ids": {"ids": [dead, unknown]},
        "filter": {"filter": {"code": "40001"}},
    }
    answer = sender.post(G + "dead-letters/retry/", bodies[by], format="json")
    refused = [{"id": unknown, "code": "may_double_required"}]
    assert (answer.status_code, answer.json()) == (202, {"retried": 1, "refused": refused})


@pytest.mark.parametrize("accept", ["*/*", "text/csv"])
def test_dead_letters_are_exported_as_csv(viewer: APIClient, grace: Church, accept: str) -> None:
    letter(grace)
    answer = viewer.get(G + "dead-letters/export/", headers={"Accept": accept})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert len(answer.content.decode().splitlines()) == 2


def test_the_report_has_the_shape_of_the_contract(viewer: APIClient, grace: Church) -> None:
    letter(grace)
    report = viewer.get(G + "delivery/").json()
    assert list(report) == [
        "breaker",
        "hold",
        "queue",
        "oldest_due_seconds",
        "success_rate",
        "days",
        "spend",
    ]
    assert (report["queue"]["dead"], len(report["days"])) == (1, 30)
    assert list(report["success_rate"]) == ["1h", "24h"]


def test_each_call_to_the_carrier_is_listed(viewer: APIClient, grace: Church) -> None:
    key = letter(grace)
    Attempt.objects.create(
        message=Message.objects.get(), number=1, started_at=timezone.now(), duration_ms=87,
        outcome=Outcome.RETRYABLE, http_status=503, code="http_503", detail="Unavailable",
    )  # fmt: skip
    attempts = viewer.get(f"{G}messages/{key}/attempts/").json()
    assert [list(attempt) for attempt in attempts] == [
        ["number", "started_at", "duration_ms", "outcome", "http_status", "code", "detail"]
    ]
