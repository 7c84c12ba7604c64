"""Quiet hours: texts wait for the morning where the number is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from delivery.accept import accept_batch, accept_message
from delivery.drafts import Draft
from delivery.models import Message
from delivery.providers.base import InboundText
from delivery.testing import ScriptedProvider
from delivery.tracking.inbound import received
from koinonia.conversations import conversation_with
from koinonia.ids import encode
from koinonia.models import Church
from koinonia.quiet import zones
from koinonia.quiet.hours import QuietHours, forecast
from realtime.models import Event
from tests.delivery.engine.scripted import drain
from tests.delivery.redis_state import fresh

pytestmark = pytest.mark.django_db(transaction=True)

NIGHT = datetime(2026, 12, 1, 4, 30, tzinfo=UTC)  # 10:30 PM in Chicago
MORNING = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)  # 8 AM in Chicago
ANNA, BEN = "+13125550111", "+13125550112"


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> None:
    fresh(settings).close()


@pytest.fixture
def quiet(grace: Church) -> Church:
    grace.timezone, grace.quiet_from, grace.quiet_until = "America/Chicago", time(21), time(8)
    grace.save()
    return grace


def work(at: datetime) -> int:
    """Let a worker send at this time; return the number of calls."""
    provider = ScriptedProvider()
    drain(provider, lambda: at, size=8).run()
    return len(provider.requests)


def test_a_text_at_night_waits_for_the_morning_and_says_so(quiet: Church) -> None:
    accept_message(quiet, Draft(to=ANNA, text="Hello"), now=NIGHT)
    assert work(NIGHT) == 0
    message = Message.objects.get()
    assert (message.status, message.error_code, message.error_class) == (
        "queued", "quiet_hours", "waiting",
    )  # fmt: skip
    assert message.next_attempt_at == MORNING
    assert work(MORNING - timedelta(seconds=1)) == 0
    assert work(MORNING) == 1
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("accepted", "")
    assert message.expires_at is not None
    assert message.expires_at > MORNING


def test_the_page_learns_that_a_single_text_waits(quiet: Church) -> None:
    accept_message(quiet, Draft(to=ANNA, text="Hello"), now=NIGHT)
    work(NIGHT)
    assert '"quiet_hours"' in Event.objects.get(type="message.status").body


def test_a_broadcast_at_night_waits(quiet: Church) -> None:
    drafts = [Draft(to=number, text="Hello") for number in (ANNA, BEN)]
    accept_batch(quiet, drafts, batch=1, now=NIGHT)
    assert work(NIGHT) == 0
    assert not Event.objects.filter(type="message.status").exists()
    assert work(MORNING) == 2


def test_a_reply_within_half_an_hour_goes_at_night(quiet: Church) -> None:
    answer_after(quiet, timedelta(minutes=29))
    assert work(NIGHT) == 1


def test_a_reply_after_half_an_hour_waits(quiet: Church) -> None:
    answer_after(quiet, timedelta(minutes=31))
    assert work(NIGHT) == 0


def answer_after(church: Church, pause: timedelta) -> None:
    heard = NIGHT - pause
    inbound = InboundText(
        provider_id="in-1", to_number=church.phone_number, from_number=ANNA, text="Hi", at=heard
    )
    received(inbound, church, heard, provider="telnyx").save(force_insert=True)
    thread = conversation_with(church, ANNA, now=heard).pk
    accept_message(church, Draft(to=ANNA, text="Hello", thread=thread), now=NIGHT)


def test_a_church_without_quiet_hours_texts_at_night(grace: Church) -> None:
    accept_message(grace, Draft(to=ANNA, text="Hello"), now=NIGHT)
    assert work(NIGHT) == 1


def test_a_waiting_text_can_be_cancelled(quiet: Church, grace_sender: User) -> None:
    message = accept_message(quiet, Draft(to=ANNA, text="Hello"), now=NIGHT)
    work(NIGHT)
    client = APIClient()
    client.force_authenticate(grace_sender)
    path = f"/api/v1/churches/grace/messages/{encode(message.pk)}/cancel/"
    assert client.post(path).json()["status"] == "cancelled"
    assert work(MORNING) == 0


@pytest.mark.parametrize(
    ("begins", "ends", "at", "expected"),
    [
        (time(21), time(8), "2026-12-01T20:59", None),
        (time(21), time(8), "2026-12-01T21:00", "2026-12-02T08:00"),
        (time(21), time(8), "2026-12-02T00:00", "2026-12-02T08:00"),
        (time(21), time(8), "2026-12-02T07:59", "2026-12-02T08:00"),
        (time(21), time(8), "2026-12-02T08:00", None),
        (time(13), time(15), "2026-12-02T14:00", "2026-12-02T15:00"),
        (time(13), time(15), "2026-12-02T15:00", None),
        # The night in which the clocks change has nine or eleven hours.
        (time(21), time(8), "2026-03-07T23:00", "2026-03-08T08:00"),
        (time(21), time(8), "2026-10-31T23:00", "2026-11-01T08:00"),
    ],
)
def test_the_end_of_quiet_hours(
    begins: time, ends: time, at: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zones, "_looked_up", lambda number: ("America/Chicago",))
    chicago = ZoneInfo("America/Chicago")
    now = datetime.fromisoformat(at).replace(tzinfo=chicago)
    found = QuietHours(begins, ends, "UTC").until(ANNA, now)
    shown = found.astimezone(chicago).strftime("%Y-%m-%dT%H:%M") if found else None
    assert shown == expected


def test_a_number_of_two_zones_waits_for_the_later_morning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = ("America/Chicago", "America/New_York")
    monkeypatch.setattr(zones, "_looked_up", lambda number: both)
    hours = QuietHours(time(21), time(8), "UTC")
    evening = datetime(2026, 12, 2, 2, 30, tzinfo=UTC)  # 8:30 PM and 9:30 PM
    assert hours.until(ANNA, evening) == datetime(2026, 12, 2, 14, 0, tzinfo=UTC)
    assert hours.until(ANNA, datetime(2026, 12, 2, 14, 0, tzinfo=UTC)) is None


def test_a_number_of_a_whole_country_counts_as_of_the_church(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = tuple(
        f"Australia/{city}" for city in ("Adelaide", "Brisbane", "Darwin", "Perth", "Sydney")
    )
    monkeypatch.setattr(zones, "_looked_up", lambda number: many)
    assert zones.zones_of("+61412345678", "Australia/Perth") == ("Australia/Perth",)
    assert zones.zones_of("+61412345678", "Europe/Berlin") == many


def test_a_forecast_counts_those_who_would_wait(quiet: Church) -> None:
    found = forecast(quiet, [ANNA, BEN], NIGHT)
    assert (found.waiting, found.until) == (2, MORNING)
    assert forecast(quiet, [ANNA], MORNING).waiting == 0


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+13125550111", ("America/Chicago",)),
        ("+12065550111", ("America/Los_Angeles",)),
        ("+493012345678", ("Europe/Berlin",)),
    ],
)
def test_the_zone_follows_from_the_number(number: str, expected: tuple[str, ...]) -> None:
    zones._looked_up.cache_clear()
    assert zones.zones_of(number, "UTC") == expected


def test_a_church_gives_both_times_or_neither(quiet: Church, grace_owner: User) -> None:
    client = APIClient()
    client.force_authenticate(grace_owner)
    path = "/api/v1/churches/grace/"
    for body in ({"quiet_from": None}, {"quiet_from": "08:00"}, {"quiet_until": "25:00"}):
        answer = client.patch(path, body, format="json")
        assert (answer.status_code, list(answer.json()["errors"])) == (
            400, ["quiet_until"],
        )  # fmt: skip
    assert client.patch(path, {"quiet_from": "22:00"}, format="json").status_code == 200
    none = {"quiet_from": None, "quiet_until": None}
    assert client.patch(path, none, format="json").status_code == 200
    quiet.refresh_from_db()
    assert quiet.quiet_from is None


@pytest.mark.parametrize(
    ("begins", "ends"),
    [(time(22), time(1, 30)), (time(1), time(1, 30)), (time(21), time(8)), (time(21), time(2, 30))],
)
@pytest.mark.parametrize("day", [date(2026, 10, 31), date(2027, 3, 13)])
def test_quiet_hours_end_ahead_while_the_clocks_change(begins: time, ends: time, day: date) -> None:
    hours = QuietHours(begins, ends, "America/Chicago")
    midnight = datetime.combine(day, time(), tzinfo=UTC)
    for minutes in range(0, 3 * 24 * 60, 10):
        at = midnight + timedelta(minutes=minutes)
        end = hours.until(ANNA, at)
        assert end is None or (end > at and hours.until(ANNA, end) is None)
