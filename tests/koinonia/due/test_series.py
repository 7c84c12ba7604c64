"""Series: each occurrence is sent once, and the next one is always planned."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.due import accept_due
from koinonia.broadcasts.progress import publish_postponed
from koinonia.ids import encode
from koinonia.media.storage import store, url_of
from koinonia.models import Attachment, AuditEntry, Broadcast, Church, Group, Member, Series
from koinonia.series import new_zone, start
from koinonia.series.occurrences import plan_missing, plan_next
from koinonia.series.repeat import Repeat
from koinonia.wiring import nightly
from tests.koinonia.due.conftest import TOMORROW, G, Tomorrow, events, later
from tests.support import cast

pytestmark = pytest.mark.django_db(transaction=True)
WEEK = timedelta(days=7)


@pytest.fixture(name="weekly")
def _weekly(sender: APIClient, anna: Member) -> dict[str, Any]:
    return begin(sender)


def begin(client: APIClient, **over: Any) -> dict[str, Any]:
    body = {
        "text": "Dear {first_name}", "audience": {"all": True}, "send_at": later(),
        "repeat": {"every": "week"}, **over,
    }  # fmt: skip
    answer = client.post(G + "series/", body, format="json")
    assert answer.status_code == 201, answer.json()
    made: dict[str, Any] = answer.json()
    assert answer["Location"].endswith(f"/series/{made['id']}/")
    return made


def test_the_first_occurrence_is_an_ordinary_scheduled_broadcast(
    weekly: dict[str, Any],
    sender: APIClient,
) -> None:
    assert (weekly["status"], weekly["rule"][:11]) == ("active", "FREQ=WEEKLY")
    assert weekly["repeat"] == {
        "every": "week", "interval": 1, "on": "day", "until": None, "count": None,
    }  # fmt: skip
    shown = sender.get(f"{G}broadcasts/{weekly['next']['id']}/").json()
    assert (shown["status"], shown["scheduled_at"]) == ("scheduled", weekly["next"]["scheduled_at"])
    assert [event["id"] for event in events("broadcast.created")] == [shown["id"]]


def test_the_worker_that_takes_one_plans_the_next_one(
    weekly: dict[str, Any],
    tomorrow: Tomorrow,
    anna: Member,
) -> None:
    assert tomorrow.comes() == {(anna.phone, "Dear Anna")}
    shown = tomorrow.look("series", weekly)
    assert shown["next"]["id"] != weekly["next"]["id"]
    first, second = Broadcast.objects.order_by("pk")
    assert second.scheduled_at is not None
    assert first.scheduled_at is not None
    assert timedelta(hours=1) >= abs(second.scheduled_at - first.scheduled_at - WEEK)
    tomorrow.at += WEEK
    tomorrow.drain().run()
    assert len(tomorrow.provider.requests) == 2
    assert Broadcast.objects.count() == 3


def test_an_occurrence_exists_once(weekly: dict[str, Any], grace: Church) -> None:
    with transaction.atomic():
        assert plan_next(Series.objects.get().pk, timezone.now()) is None
    first = Broadcast.objects.get()
    with pytest.raises(IntegrityError):
        Broadcast.objects.create(
            church=grace, series=first.series, occurrence=first.occurrence, text="Twice",
            audience={"all": True}, created_at=timezone.now(),
        )  # fmt: skip


def test_days_that_passed_without_a_worker_are_left_out(
    weekly: dict[str, Any],
    tomorrow: Tomorrow,
) -> None:
    tomorrow.at += 3 * WEEK
    assert tomorrow.comes() == set()
    late, following = Broadcast.objects.order_by("pk")
    assert late.ended_as == "expired"
    assert following.due_at is not None
    assert tomorrow.at < following.due_at <= tomorrow.at + WEEK


def test_a_series_ends_after_its_count(tomorrow: Tomorrow, anna: Member) -> None:
    made = begin(tomorrow.client, repeat={"every": "week", "count": 2})
    for _ in range(3):
        tomorrow.drain().run()
        tomorrow.at += WEEK
    assert len(tomorrow.provider.requests) == 2
    shown = tomorrow.look("series", made)
    assert (shown["status"], shown["next"]) == ("ended", None)


def test_skipping_cancels_one_and_plans_the_following(
    weekly: dict[str, Any],
    tomorrow: Tomorrow,
) -> None:
    answer = tomorrow.client.post(f"{G}series/{weekly['id']}/skip/")
    assert answer.status_code == 200
    assert answer.json()["next"]["id"] != weekly["next"]["id"]
    assert tomorrow.look("broadcasts", weekly["next"])["status"] == "cancelled"
    assert tomorrow.comes() == set()


def test_a_paused_series_sends_nothing_until_it_goes_on(
    weekly: dict[str, Any],
    tomorrow: Tomorrow,
) -> None:
    path = f"{G}series/{weekly['id']}/"
    paused = tomorrow.client.patch(path, {"paused": True}, format="json").json()
    assert (paused["status"], paused["next"]) == ("paused", None)
    resumed = tomorrow.client.patch(path, {"paused": False}, format="json").json()
    assert resumed["status"] == "active"
    assert resumed["next"]["scheduled_at"] == weekly["next"]["scheduled_at"]
    assert tomorrow.client.patch(path, {"paused": True}, format="json").status_code == 200
    assert tomorrow.comes() == set()
    assert tomorrow.client.post(path + "skip/").status_code == 409


def test_deleting_a_series_withdraws_what_is_scheduled(
    weekly: dict[str, Any],
    tomorrow: Tomorrow,
) -> None:
    path = f"{G}series/{weekly['id']}/"
    assert tomorrow.client.delete(path).status_code == 204
    assert tomorrow.look("series", weekly)["status"] == "ended"
    assert tomorrow.client.patch(path, {"text": "Hi"}, format="json").status_code == 409
    assert tomorrow.comes() == set()


def test_new_words_and_another_day_reach_the_scheduled_occurrence(
    weekly: dict[str, Any],
    tomorrow: Tomorrow,
    anna: Member,
) -> None:
    path = f"{G}series/{weekly['id']}/"
    changed = tomorrow.client.patch(path, {"text": "Hi {first_name}"}, format="json")
    assert changed.json()["next"]["id"] == weekly["next"]["id"]
    moved = tomorrow.client.patch(
        path, {"send_at": (timezone.now() + 2 * timedelta(days=1)).isoformat()}, format="json"
    )
    assert moved.status_code == 200, moved.json()
    assert moved.json()["next"]["id"] != weekly["next"]["id"]
    assert tomorrow.comes() == set()
    tomorrow.at += timedelta(days=1)
    assert tomorrow.comes() == {(anna.phone, "Hi Anna")}


def test_a_stale_change_of_a_series_is_refused(weekly: dict[str, Any], sender: APIClient) -> None:
    path = f"{G}series/{weekly['id']}/"
    headers = {"If-Match": weekly["etag"]}
    first = sender.patch(path, {"text": "One"}, format="json", headers=headers)
    assert first.status_code == 200, first.json()
    second = sender.patch(path, {"text": "Two"}, format="json", headers=headers)
    assert second.status_code == 412


def test_a_series_without_its_group_ends(
    sender: APIClient,
    choir: Group,
) -> None:
    made = begin(sender, audience={"groups": [encode(choir.pk)]})
    choir.delete()
    assert sender.get(f"{G}series/{made['id']}/").json()["status"] == "ended"


def test_the_night_plans_what_an_older_worker_left_out(weekly: dict[str, Any]) -> None:
    Broadcast.objects.update(due_at=None, ended_as="cancelled")
    nightly(lambda: False)
    assert Broadcast.objects.filter(due_at__isnull=False).count() == 1
    assert plan_missing(timezone.now()) == 0


def test_a_failure_to_plan_does_not_stop_the_occurrence(
    weekly: dict[str, Any],
    tomorrow: Tomorrow,
    anna: Member,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError

    monkeypatch.setattr("koinonia.series.occurrences.plan_next", fail)
    assert accept_due(tomorrow.at)
    monkeypatch.undo()
    assert tomorrow.comes() == {(anna.phone, "Dear Anna")}
    assert plan_missing(timezone.now()) == 1


def test_a_series_without_its_file_keeps_no_other_series_from_being_planned(
    weekly: dict[str, Any], grace: Church, grace_sender: User
) -> None:
    with_picture(grace, grace_sender)
    Attachment.objects.all().delete()
    Broadcast.objects.update(due_at=None, ended_as="cancelled")
    assert plan_missing(timezone.now()) == 1
    assert Broadcast.objects.get(due_at__isnull=False).series == Series.objects.first()


def test_a_paused_series_without_its_file_says_why_it_cannot_go_on(
    sender: APIClient, anna: Member, grace: Church, grace_sender: User
) -> None:
    series = with_picture(grace, grace_sender)
    start.pause(series, timezone.now())
    Attachment.objects.all().delete()
    answer = sender.patch(f"{G}series/{encode(series.pk)}/", {"paused": False}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["media_urls"])
    browser = Client()
    browser.force_login(grace_sender)
    page = f"/churches/grace/sent/repeating/{encode(series.pk)}/"
    shown = browser.post(f"{page}resume/", follow=True)
    assert "This file is no longer stored." in shown.content.decode()
    series.refresh_from_db()
    assert series.status == Series.Status.PAUSED


@pytest.mark.parametrize("path", [G, f"{G}settings/"])
def test_the_scheduled_occurrence_keeps_its_clock_time_in_a_new_zone(
    weekly: dict[str, Any], grace_owner: User, path: str
) -> None:
    owner = APIClient()
    owner.force_authenticate(grace_owner)
    series, before = Series.objects.get(), Broadcast.objects.get()
    for zone in ("Pacific/Honolulu", "Pacific/Honolulu", "America/Chicago"):
        assert owner.patch(path, {"timezone": zone}, format="json").status_code == 200
        due_at = Broadcast.objects.get().due_at
        assert due_at is not None
        assert due_at.astimezone(ZoneInfo(zone)).time() == series.at
    # Before and after, the church has a zone of its own.
    assert Broadcast.objects.get().edits == before.edits + 2


def test_a_crash_right_after_a_new_zone_leaves_no_occurrence_behind(
    weekly: dict[str, Any], grace_owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = APIClient()
    owner.force_authenticate(grace_owner)

    def crash(wrapper: BaseDatabaseWrapper) -> None:
        wrapper.run_on_commit.clear()
        if Church.objects.filter(timezone="Pacific/Honolulu").exists():
            raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "run_and_clear_commit_hooks", crash)
        with pytest.raises(SystemExit):
            owner.patch(G, {"timezone": "Pacific/Honolulu"}, format="json")
    due_at = Broadcast.objects.get().due_at
    assert due_at is not None
    assert due_at.astimezone(ZoneInfo("Pacific/Honolulu")).time() == Series.objects.get().at
    publish_postponed(timezone.now() + TOMORROW)
    assert [event["broadcast"] for event in events("broadcast.progress")] == [weekly["next"]["id"]]


def test_an_occurrence_that_a_person_has_moved_keeps_its_time_in_a_new_zone(
    weekly: dict[str, Any], sender: APIClient, grace: Church
) -> None:
    moved = (timezone.now() + 2 * TOMORROW).strftime("%Y-%m-%dT%H:00:01Z")
    path = f"{G}broadcasts/{weekly['next']['id']}/"
    assert sender.patch(path, {"send_at": moved}, format="json").status_code == 200
    grace.timezone = "Pacific/Honolulu"
    new_zone.follow(grace, "UTC", timezone.now())
    assert sender.get(path).json()["scheduled_at"] == moved


def test_an_ended_series_goes_on_again(weekly: dict[str, Any], sender: APIClient) -> None:
    path = f"{G}series/{weekly['id']}/"
    assert sender.delete(path).status_code == 204
    refused = sender.patch(path, {"text": "Other words"}, format="json")
    assert (refused.status_code, "ended" in refused.json()["detail"]) == (409, True)
    again = sender.patch(path, {"ended": False}, format="json")
    assert (again.status_code, again.json()["status"]) == (200, "active")
    assert again.json()["next"]["scheduled_at"] == weekly["next"]["scheduled_at"]
    assert AuditEntry.objects.order_by("-pk")[0].action == "series.reopened"
    unchanged = sender.patch(path, {"ended": False}, format="json")
    assert unchanged.json()["next"] == again.json()["next"]
    assert AuditEntry.objects.filter(action="series.reopened").count() == 1


def test_an_ended_series_goes_on_with_a_new_rule_and_a_break(
    sender: APIClient, anna: Member
) -> None:
    weekly = begin(sender, repeat={"every": "week", "count": 1})
    path = f"{G}series/{weekly['id']}/"
    Broadcast.objects.update(due_at=None, ended_as="cancelled")
    assert plan_missing(timezone.now() + 2 * TOMORROW) == 0
    refused = sender.patch(path, {"ended": False}, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["repeat"])
    assert sender.get(path).json()["status"] == "ended"
    body = {"ended": False, "repeat": {"every": "month"}, "text": "Hello again", "paused": True}
    again = sender.patch(path, body, format="json").json()
    assert (again["status"], again["next"], again["text"]) == ("paused", None, "Hello again")
    assert sender.patch(path, {"paused": False}, format="json").json()["status"] == "active"


def test_an_ended_series_that_cannot_go_on_stays_ended(
    weekly: dict[str, Any], sender: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{G}series/{weekly['id']}/"
    wrong = sender.patch(path, {"ended": True}, format="json")
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["ended"])
    sender.delete(path)
    monkeypatch.setattr(start, "MOST_ACTIVE", 0)
    full = sender.patch(path, {"ended": False, "text": "Other words"}, format="json")
    assert (full.status_code, list(full.json()["errors"])) == (400, ["repeat"])
    shown = sender.get(path).json()
    assert (shown["status"], shown["text"]) == ("ended", weekly["text"])


def with_picture(church: Church, author: User) -> Series:
    now = timezone.now()
    picture = store(church, BytesIO(b"GIF89a."), "a.gif", author=author, now=now)
    return start.start_series(
        church, "Hello", Audience.from_json({"all": True}), first_at=now + TOMORROW,
        repeat=Repeat("week"), author=author, media_urls=[url_of(picture)], now=now,
    )  # fmt: skip


def test_what_cannot_repeat_is_refused(
    sender: APIClient,
    anna: Member,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = {
        "text": "Hi",
        "audience": {"all": True},
        "send_at": later(),
        "repeat": {"every": "week"},
    }
    bad: list[tuple[dict[str, Any], str]] = [
        ({"repeat": {"every": "day"}}, "repeat"),
        ({"repeat": {"every": "week", "interval": 0}}, "repeat"),
        ({"repeat": {"every": "week", "until": "2020-01-01"}}, "repeat"),
        ({"repeat": {"every": "week", "count": 3, "until": "2030-01-01"}}, "repeat"),
        ({"repeat": {"every": "week", "weekday": 1}}, "repeat"),
        ({"text": " "}, "text"),
        ({"text": "{nmae}"}, "text"),
        ({"audience": {}}, "audience"),
        ({"send_at": "2026-12-24"}, "send_at"),
    ]
    for over, field in bad:
        answer = sender.post(G + "series/", {**good, **over}, format="json")
        assert answer.status_code == 400, over
        assert [name.split(".")[0] for name in answer.json()["errors"]] == [field], over
    assert not Series.objects.exists()
    monkeypatch.setattr(start, "MOST_ACTIVE", 1)
    assert sender.post(G + "series/", good, format="json").status_code == 201
    assert sender.post(G + "series/", good, format="json").status_code == 400


def test_another_church_does_not_see_a_series(
    weekly: dict[str, Any], hope: Church, grace: Church
) -> None:
    expected = {(hope, "owner"): 404, (grace, "viewer"): 403}
    for (church, role), status in expected.items():
        client = APIClient()
        client.force_authenticate(cast.staff(church, role))  # type: ignore[arg-type] # by its value
        path = f"{G}series/{weekly['id']}/"
        assert client.patch(path, {"text": "Mine"}, format="json").status_code == status
        assert client.delete(path).status_code == status
        assert client.get(path).status_code == (404 if church == hope else 200)
