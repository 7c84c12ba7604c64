"""The pages of repeating broadcasts."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from koinonia import group_changes
from koinonia.broadcasts.audience import Audience
from koinonia.ids import encode
from koinonia.models import AuditEntry, Church, Group, Member, Series
from koinonia.series.repeat import Repeat
from koinonia.series.start import start_series
from tests.console.conftest import signed_in
from tests.console.pages import Costs
from tests.console.sent.conftest import SENT, TOMORROW, done, seen
from tests.support import cast

pytestmark = pytest.mark.django_db
LIST = SENT + "repeating/"


@pytest.fixture
def weekly(grace: Church, grace_sender: User, anna: Member) -> Series:
    now = timezone.now()
    return start_series(
        grace, "Choir tonight", Audience(everyone=True, as_sent={"all": True}),
        first_at=now + TOMORROW, repeat=Repeat("week", 2), author=grace_sender, now=now,
    )  # fmt: skip


def path_of(series: Series, *more: str) -> str:
    return f"{LIST}{encode(series.pk)}/{''.join(f'{part}/' for part in more)}"


def test_the_list_says_what_to_do_or_when_the_next_one_goes(
    sender: Client, grace: Church, costs: Costs
) -> None:
    assert "No broadcast repeats" in seen(sender, LIST)


def test_the_rule_and_the_next_time_are_in_words(
    sender: Client, weekly: Series, costs: Costs
) -> None:
    for path in (LIST, path_of(weekly)):
        page = seen(sender, path)
        assert "Every 2 weeks on" in page
        assert "Next" in page
        costs.of(sender, path)


def test_a_series_is_skipped_paused_resumed_and_ended(sender: Client, weekly: Series) -> None:
    first = weekly.next_broadcast()
    assert "Nobody gets it this time." in done(sender, path_of(weekly, "skip"))
    assert weekly.next_broadcast() != first
    assert "Paused. Nothing goes out until" in done(sender, path_of(weekly, "pause"))
    assert weekly.next_broadcast() is None
    assert "It goes on." in done(sender, path_of(weekly, "resume"))
    assert weekly.next_broadcast() is not None
    assert "Ended. Nothing more goes out." in done(sender, path_of(weekly, "end"))
    assert weekly.next_broadcast() is None
    assert "a colleague was quicker" in done(sender, path_of(weekly, "end"))
    assert sender.post(path_of(weekly, "destroy")).status_code == 404
    assert AuditEntry.objects.filter(action__startswith="series.").count() == 4


def test_the_question_before_the_end_names_the_times_and_the_people(
    sender: Client, weekly: Series
) -> None:
    page = seen(sender, path_of(weekly, "end"))
    assert "As of now, it would reach 1 person." in page
    assert page.count("<time") == 5
    assert "and all later times" in page
    assert "Choir tonight" in page
    assert weekly.next_broadcast() is not None
    skip = seen(sender, path_of(weekly, "skip"))
    assert (skip.count("<time"), "Leave out the next time?" in skip) == (1, True)
    assert sender.get(path_of(weekly, "pause")).status_code == 404
    done(sender, path_of(weekly, "pause"))
    assert "no time is planned" in seen(sender, path_of(weekly, "end"))


def test_an_ended_series_goes_on_again_with_the_same_day(sender: Client, weekly: Series) -> None:
    before = weekly.next_broadcast()
    assert before is not None
    done(sender, path_of(weekly, "end"))
    assert "Let it go on again" in seen(sender, path_of(weekly))
    assert sender.get(path_of(weekly, "end")).status_code == 302
    assert "It goes on." in done(sender, path_of(weekly, "reopen"))
    after = weekly.next_broadcast()
    assert after is not None
    assert (after.due_at, after.pk != before.pk) == (before.due_at, True)


def test_a_series_never_texts_a_group_that_it_left_out_before_its_deletion(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    resting = Group.objects.create(church=grace, name="Resting")
    resting.members.add(cast.member(grace, "Ben", "+13125550102"))
    audience = {"all": True, "exclude_groups": [encode(resting.pk)]}
    now = timezone.now()
    series = start_series(
        grace, "Choir tonight", Audience.from_json(audience), first_at=now + TOMORROW,
        repeat=Repeat("week"), author=grace_sender, now=now,
    )  # fmt: skip
    group_changes.delete(resting, grace_sender, now=now)
    series.refresh_from_db()
    assert (series.status, series.next_broadcast()) == ("ended", None)
    assert "A group that this broadcast left out" in done(sender, path_of(series, "reopen"))
    assert series.next_broadcast() is None


def test_words_and_rule_of_a_series_change(sender: Client, weekly: Series) -> None:
    upcoming = weekly.next_broadcast()
    assert upcoming is not None
    assert upcoming.due_at is not None
    weekly.refresh_from_db()
    given = {
        "text": "Choir on Monday", "day": upcoming.due_at.date().isoformat(), "clock": "23:30",
        "edits": weekly.version, "everyone": "all", "every": "month", "interval": 1, "on": "day",
        "until": "", "count": 3,
    }  # fmt: skip
    page = done(sender, path_of(weekly), **given)
    assert "Every month on day" in page
    assert "Choir on Monday" in page
    answer = sender.post(path_of(weekly), {**given, "text": "Mine"})
    assert answer.status_code == 422
    assert "A colleague has changed this" in answer.content.decode()
    weekly.refresh_from_db()
    assert f'name="edits" value="{weekly.version}"' in answer.content.decode()
    broken = {**given, "edits": weekly.version, "until": "2020-01-01"}
    answer = sender.post(path_of(weekly), broken)
    assert answer.status_code == 422


def test_a_series_of_another_office_does_not_exist(
    viewer: Client, weekly: Series, hope_owner: User
) -> None:
    stranger = signed_in(hope_owner)
    assert "End it" not in seen(viewer, path_of(weekly))
    assert viewer.post(path_of(weekly, "end")).status_code == 403
    assert viewer.post(path_of(weekly)).status_code == 403
    assert stranger.get(path_of(weekly)).status_code == 404
    assert stranger.post(path_of(weekly, "end")).status_code == 404
    weekly.refresh_from_db()
    assert weekly.ended_at is None
