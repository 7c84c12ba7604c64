"""Single texts: search, one text with its story, edit, cancel, send again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery.models import Attempt, Message
from delivery.statuses import Status
from koinonia.console.sent import finding
from koinonia.models import AuditEntry, Church, Member
from tests.console.conftest import signed_in
from tests.console.pages import Costs
from tests.console.sent.conftest import (
    SENT,
    TOMORROW,
    broadcast,
    done,
    path_of,
    seen,
    text_to,
)
from tests.support import cast

pytestmark = pytest.mark.django_db
TEXTS = SENT + "texts/"


def test_an_empty_list_says_so(sender: Client) -> None:
    assert "No single text was sent yet" in seen(sender, TEXTS)
    assert "Nothing found" in seen(sender, TEXTS + "?words=soup")


def test_texts_are_found_by_person_word_state_and_day(
    sender: Client, grace: Church, grace_sender: User, anna: Member, ben: Member, costs: Costs
) -> None:
    text_to(grace, grace_sender, anna.phone, "Soup on Friday")
    old = text_to(grace, grace_sender, ben.phone, "Bring bread")
    Message.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(days=5), status=Status.DELIVERED
    )
    day = (timezone.now() - timedelta(days=2)).date().isoformat()
    for query, has_soup, has_bread in (
        ("", True, True),
        ("words=SOUP", True, False),
        ("words=soup+bread", False, False),
        ("person=lee", True, False),
        ("person=Anna+Lee", True, False),
        ("person=0112", False, True),
        ("person=%2B13125550112", False, True),
        ("state=reached", False, True),
        ("state=waiting", True, False),
        (f"since={day}", True, False),
        (f"until={day}", False, True),
        ("since=nonsense&state=nonsense", True, True),
    ):
        page = seen(sender, f"{TEXTS}?{query}")
        assert ("Soup on Friday" in page, "Bring bread" in page) == (has_soup, has_bread), query
    costs.of(sender, TEXTS + "?person=lee&words=soup")
    costs.of(sender, TEXTS + "?words=soup&state=failed")


def test_a_person_also_has_the_texts_of_broadcasts(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    broadcast(grace, grace_sender, "To everyone")
    assert "To everyone" not in seen(sender, TEXTS)
    page = seen(sender, TEXTS + "?person=anna")
    assert "To everyone" in page
    assert "from a broadcast" in page


def test_the_texts_of_broadcasts_that_did_not_arrive_are_shown_too(
    sender: Client, grace: Church, grace_sender: User, anna: Member, ben: Member
) -> None:
    broadcast(grace, grace_sender, "To everyone")
    assert "Nothing found." in seen(sender, TEXTS + "?state=failed")
    Message.objects.filter(to_number=ben.phone).update(status=Status.FAILED, error_code="40001")
    page = seen(sender, TEXTS + "?state=failed")
    assert page.count("<li data-message=") == 1
    assert "from a broadcast" in page


def test_words_are_found_in_broadcasts(
    sender: Client, grace: Church, grace_sender: User, anna: Member, costs: Costs
) -> None:
    text_to(grace, grace_sender, anna.phone, "Soup on Friday")
    for number in range(finding.MOST_BROADCASTS + 1):
        broadcast(grace, grace_sender, f"Supper at {number}")
    path = TEXTS + "?words=SUPPER"
    page = seen(sender, path)
    assert page.count("<li data-broadcast=") == finding.MOST_BROADCASTS
    assert "These are the newest 5 with these words." in page
    assert "No single text has these words." in page
    assert "<li data-broadcast=" not in seen(sender, TEXTS + "?words=soup")
    costs.of(sender, path)


def test_days_in_the_wrong_order_are_named(sender: Client, grace: Church) -> None:
    page = seen(sender, TEXTS + "?since=2026-12-05&until=2026-12-01")
    assert "The first day is after the last one." in page


def test_a_search_looks_through_a_bounded_number_of_texts_and_leads_on(
    sender: Client,
    grace: Church,
    grace_sender: User,
    anna: Member,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finding, "WINDOW", 3)
    for number in range(8):
        made = text_to(grace, grace_sender, anna.phone, "Soup" if not number else "Bread")
        at = timezone.now() - timedelta(days=10 - number)
        Message.objects.filter(pk=made.pk).update(created_at=at)
    page, path = seen(sender, TEXTS + "?words=soup"), TEXTS
    assert "Nothing found so far" in page
    while "Soup" not in page.split('id="texts"')[1] and "Search further back" in page:
        path = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
        page = seen(sender, TEXTS + path.replace("&amp;", "&"))
    assert "Soup" in page.split('id="texts"')[1]


def test_older_texts_follow_by_a_link(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    for number in range(51):
        text_to(grace, grace_sender, anna.phone, f"Number {number}.")
    for path in (TEXTS, TEXTS + "?person=anna"):
        first = seen(sender, path)
        assert "Number 0." not in first
        older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
        second = seen(sender, TEXTS + older.replace("&amp;", "&"))
        assert "Number 0." in second
        assert "Number 1." not in second


def test_one_text_tells_its_story(
    sender: Client, grace: Church, grace_sender: User, anna: Member, costs: Costs
) -> None:
    text = text_to(grace, grace_sender, anna.phone)
    for number, outcome in enumerate(("retryable", "accepted"), 1):
        Attempt.objects.create(
            message=text, number=number, started_at=timezone.now(), duration_ms=20, outcome=outcome
        )
    Message.objects.update(
        status=Status.DELIVERED, sent_at=timezone.now(), delivered_at=timezone.now(),
        provider_id="p-1",
    )  # fmt: skip
    page = seen(sender, path_of(text))
    told = [
        "grace-sender sent it", "It is tried again", "The provider took it", "The carrier took it",
        "The phone has it",
    ]  # fmt: skip
    assert sorted(told, key=page.rindex) == told
    costs.of(sender, path_of(text))


def test_a_dead_text_says_why_and_what_to_do_and_goes_again(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    text = text_to(grace, grace_sender, anna.phone)
    Message.objects.update(
        status=Status.DEAD, error_code="connection_failed", dead_since=timezone.now()
    )
    page = seen(sender, path_of(text))
    assert "could not be reached" in page
    assert "What to do" in page
    page = done(sender, path_of(text, "again"))
    assert "1 text goes out again" in page
    assert "grace-sender sent it again." in page
    assert "There is nothing to send again" in done(sender, TEXTS + "again/", code="other")


def test_dead_texts_of_some_days_go_again_together(
    sender: Client, grace: Church, grace_sender: User, anna: Member, ben: Member
) -> None:
    for member in (anna, ben):
        text_to(grace, grace_sender, member.phone)
    Message.objects.update(status=Status.DEAD, error_code="10011", dead_since=timezone.now())
    Message.objects.filter(to_number=ben.phone).update(
        dead_since=timezone.now() - timedelta(days=9)
    )
    since = (timezone.now() - timedelta(days=2)).date().isoformat()
    assert "Send again" in seen(sender, f"{TEXTS}?state=failed&since={since}")
    given = {"code": "10011", "state": "failed", "since": since}
    assert "1 text goes out again" in done(sender, TEXTS + "again/", **given)
    assert Message.objects.get(to_number=ben.phone).status == Status.DEAD


def test_a_planned_text_is_changed_moved_and_cancelled(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    at = timezone.now() + TOMORROW
    text = text_to(grace, grace_sender, anna.phone, "Hi {first_name}", send_at=at)
    assert "Hi {first_name}" in seen(sender, path_of(text, "edit"))
    day = (at + TOMORROW).date().isoformat()
    given = {"text": "Dear {first_name}", "day": day, "clock": "23:59"}
    assert "Dear Anna" in done(sender, path_of(text, "edit"), **given, edits=0)
    answer = sender.post(path_of(text, "edit"), {**given, "text": "Mine", "edits": 0})
    assert answer.status_code == 422
    assert "Dear {first_name}" in answer.content.decode()
    assert "does not go out" in done(sender, path_of(text, "stop"))
    assert "no longer planned" in seen(sender, path_of(text, "edit"))
    actions = (
        AuditEntry.objects.exclude(action="message.sent")
        .order_by("pk")
        .values_list("action", flat=True)
    )
    assert list(actions) == ["message.moved", "message.cancelled"]
    assert "grace-sender: Cancelled a text." in seen(sender, path_of(text))


def test_a_planned_text_was_scheduled_and_not_sent(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    later = timezone.now() + TOMORROW
    page = seen(sender, path_of(text_to(grace, grace_sender, anna.phone, send_at=later)))
    assert "grace-sender scheduled it." in page
    assert "grace-sender sent it" not in page
    assert "<b>Goes out <time" in page


def test_undo_of_a_text(sender: Client, grace: Church, grace_sender: User, anna: Member) -> None:
    soon = timezone.now() + timedelta(seconds=10)
    text = text_to(grace, grace_sender, anna.phone, send_at=soon)
    assert "Undo" in seen(sender, path_of(text))
    assert "does not go out" in done(sender, path_of(text, "stop"))


def test_a_text_of_another_office_does_not_exist(
    viewer: Client, grace: Church, grace_sender: User, hope_owner: User, anna: Member
) -> None:
    text = text_to(grace, grace_sender, anna.phone, send_at=timezone.now() + TOMORROW)
    stranger = signed_in(hope_owner)
    assert viewer.get(path_of(text)).status_code == 200
    assert stranger.get(path_of(text)).status_code == 404
    elsewhere = path_of(text).replace("grace", "hope")
    assert stranger.get(elsewhere).status_code == 404
    for part in ("edit", "stop", "again"):
        assert viewer.post(path_of(text, part)).status_code == 403
        assert stranger.post(path_of(text, part)).status_code == 404
    assert Message.objects.get().status == Status.SCHEDULED


def test_the_search_of_one_office_does_not_find_texts_of_another(
    sender: Client, hope: Church, hope_owner: User
) -> None:
    cast.member(hope, "Anna", "+13125550111")
    text_to(hope, hope_owner, "+13125550111", "Secret")
    assert "Secret" not in seen(sender, TEXTS + "?person=anna")
    assert "Secret" not in seen(sender, TEXTS + "?words=secret").split('id="texts"')[1]
