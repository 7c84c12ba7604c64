"""Times in requests: RFC 3339, with an offset."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone
from rest_framework import serializers
from rest_framework.test import APIClient

from delivery.models import Message
from koinonia.api import urls as api
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.times import InstantField
from koinonia.models import Church

G = "/api/v1/churches/grace/"
TO = "+13125550155"
SOON = timezone.now() + timedelta(days=30)
DAY = SOON.strftime("%Y-%m-%d")

TAKEN = [
    (f"{DAY}T17:00:00Z", 17),
    (f"{DAY}T17:00:00z", 17),
    (f"{DAY}t17:00:00z", 17),
    (f"{DAY}T17:00:00+00:00", 17),
    (f"{DAY}T17:00:00-00:00", 17),
    (f"{DAY}T11:00:00-06:00", 17),
    (f"{DAY}T17:00:00.5Z", 17),
    (f"{DAY}T17:00:00.123456789Z", 17),
    (f"{DAY}T22:30:00+05:30", 17),
]
REFUSED = [
    DAY,
    f"{DAY}T17:00",
    f"{DAY} 17:00",
    f"{DAY}T17:00:00",
    f"{DAY}T17:00Z",
    f"{DAY} 17:00:00Z",
    f"{DAY}T17Z",
    f"{DAY}T17:00:00 Z",
    f" {DAY}T17:00:00Z",
    f"{DAY}T17:00:00Z\n",
    f"{DAY}T24:00:00Z",
    f"{DAY}T17:60:00Z",
    f"{DAY}T17:00:61Z",
    f"{DAY}T17:00:60Z",
    f"{DAY}T17:00:00.Z",
    f"{DAY}T17:00:00,5Z",
    f"{DAY}T17:00:00.1234567891Z",
    f"{DAY}T17:00:00+14:01",
    f"{DAY}T17:00:00+24:00",
    f"{DAY}T17:00:00+0100",
    f"{DAY}T17:00:00+01",
    f"{DAY}T17:00:00+05:60",
    f"{DAY}T17:00:00 01:00",
    f"{DAY}T17:00:00[Europe/Berlin]",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "12026-12-24T17:00:00Z",
    "2026-W52-4T17:00:00Z",
    "2027-02-29T17:00:00Z",
    "٢٠٢٧-01-01T17:00:00Z",
    "tomorrow",
    "",
    1798131600,
    10**18,
    True,
    [],
    {},
    "\ud800",
    "2027-01-01T00:00:00\x00Z",
    "9" * 5000,
]


@pytest.mark.parametrize(("given", "hour"), TAKEN)
def test_a_time_with_an_offset_is_accepted(
    sender: APIClient, grace: Church, given: str, hour: int
) -> None:
    answer = sender.post(G + "messages/", {"to": TO, "text": "Hi", "send_at": given}, format="json")
    assert answer.status_code == 202, answer.json()
    due = datetime.fromisoformat(answer.json()["scheduled_at"])
    assert due == datetime.fromisoformat(f"{DAY}T{hour}:00:00+00:00")


@pytest.mark.parametrize("given", REFUSED, ids=lambda given: ascii(given)[:40])
@pytest.mark.parametrize("field", ["send_at", "expires_at"])
def test_any_other_time_is_refused_with_an_example(
    sender: APIClient, grace: Church, given: Any, field: str
) -> None:
    body = json.dumps({"to": TO, "text": "Hi", field: given})
    answer = sender.post(G + "messages/", body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not Message.objects.exists()


def test_the_error_names_the_missing_part_and_gives_an_example(
    sender: APIClient, grace: Church
) -> None:
    body = {"to": TO, "text": "Hi", "send_at": "2026-12-24T17:00:00"}
    told = sender.post(G + "messages/", body, format="json").json()["errors"]["send_at"][0]
    assert "offset" in told
    assert "2026-12-24T17:00:00-06:00" in told


def test_a_leap_second_is_the_second_after_it() -> None:
    field = InstantField()
    assert field.run_validation("2016-12-31T23:59:60Z") == datetime(2017, 1, 1, tzinfo=UTC)
    assert field.run_validation("2016-12-31T15:59:60-08:00") == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("path", ["messages/", "dead-letters/", "dead-letters/export/"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_a_query_follows_the_same_rules(viewer: APIClient, path: str, name: str) -> None:
    for bad in REFUSED[:26]:
        if str(bad) and "T17:00:00 01:00" not in str(bad):
            answer = viewer.get(f"{G}{path}?{name}={quote(str(bad))}")
            assert (answer.status_code, list(answer.json()["errors"])) == (400, [name]), bad
    for good, _ in TAKEN:
        assert viewer.get(f"{G}{path}?{name}={quote(good)}").status_code == 200


def test_a_blank_for_an_unencoded_plus_is_accepted(viewer: APIClient, grace: Church) -> None:
    """Accept an unencoded ``isoformat()`` in a URL: a form decodes its ``+`` to a blank."""
    now = timezone.now()
    old = Message.objects.create(
        tenant=grace, to_number=TO, from_number="+13125550100", text="x", status="sent",
        created_at=now - timedelta(hours=3), updated_at=now,
    )  # fmt: skip
    at = (now - timedelta(hours=3) + timedelta(hours=1, minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    assert viewer.get(f"{G}messages/?until={at}+01:00").json()["results"] != []
    earlier = (now - timedelta(hours=3) + timedelta(minutes=59)).strftime("%Y-%m-%dT%H:%M:%S")
    assert viewer.get(f"{G}messages/?until={earlier}+01:00").json()["results"] == []
    assert old.pk


DAYS = ["RepeatSerializer.until"]
"""Fields of a day in the calendar of the church, which has no offset."""


def test_every_time_in_a_request_uses_instant_field() -> None:
    """Fail for a body or query with DRF's own DateTimeField."""
    assert api.urlpatterns
    loose = [
        f"{made.__name__}.{name}"
        for made in _of_requests(serializers.Serializer)
        for name, field in made().fields.items()
        if isinstance(field, serializers.DateTimeField | serializers.DateField)
        and not field.read_only
        and not isinstance(field, InstantField)
    ]
    assert loose == DAYS


def _of_requests(base: type[Any]) -> Iterator[type[Any]]:
    for made in base.__subclasses__():
        is_query = made.__module__.startswith("koinonia") and made.__name__.endswith(
            "QuerySerializer"
        )
        if issubclass(made, KnownFieldsMixin) or is_query:
            yield made
        yield from _of_requests(made)
