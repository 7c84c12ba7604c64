"""The days of a church follow its time zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from rest_framework.test import APIClient

from delivery.models import Message
from delivery.status_report import report
from delivery.statuses import Status
from koinonia.models import Church
from koinonia.zones import zone_named

G = "/api/v1/churches/grace/"


def sent_at(church: Church, moment: datetime) -> None:
    Message.objects.create(
        tenant=church, to_number="+13125550155", from_number=church.phone_number, text="Hi",
        status=Status.DELIVERED, created_at=moment, updated_at=moment,
    )  # fmt: skip


def test_a_text_of_the_evening_counts_for_that_day(grace: Church) -> None:
    now = datetime(2026, 11, 29, 3, tzinfo=UTC)  # 21:00 of the 28th in Chicago
    sent_at(grace, datetime(2026, 11, 29, 2, tzinfo=UTC))
    sent_at(grace, datetime(2026, 10, 30, 6, tzinfo=UTC))  # 01:00, in summer time
    sent_at(grace, datetime(2026, 10, 30, 4, tzinfo=UTC))  # 23:00 of the day before the first
    days = report(grace.pk, now=now, zone=zone_named("America/Chicago"))["days"]
    assert [str(days[0]["date"]), str(days[-1]["date"])] == ["2026-10-30", "2026-11-28"]
    assert [day["delivered"] for day in days] == [1, *[0] * 28, 1]


def test_the_report_of_a_church_is_in_its_zone(owner: APIClient, grace: Church) -> None:
    dates = set()
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert owner.patch(G, {"timezone": zone}, format="json").status_code == 200
        dates.add(owner.get(f"{G}delivery/").json()["days"][-1]["date"])
    assert len(dates) == 2  # 25 hours apart: it is never the same day in both


@pytest.mark.parametrize("name", ["Chicago", "Factory", "localtime", "../etc", "EST5", "", "UTC+1"])
def test_an_unknown_zone_is_refused_by_api_and_admin(
    owner: APIClient, grace: Church, name: str
) -> None:
    assert owner.patch(G, {"timezone": name}, format="json").status_code == 400
    grace.timezone = name
    with pytest.raises(ValidationError):
        grace.full_clean()


def test_an_invalid_stored_zone_is_read_as_utc() -> None:
    assert zone_named("Nowhere/Land") is UTC
