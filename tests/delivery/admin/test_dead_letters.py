from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from delivery.models import Attempt, DeadLetterAction, Message, OptOut
from koinonia.models import Church
from tests.delivery.dead_letters.conftest import MEMBER, NOW, MakeLetter

pytestmark = pytest.mark.django_db

LIST = "/admin/delivery/deadletter/"


def act(client: Client, action: str, letters: list[Message], query: str = "", **more: str) -> Any:
    ids = [letter.pk for letter in letters]
    body = {"action": f"{action}_selected", "_selected_action": ids, **more}
    return client.post(LIST + query, body)


def statuses() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("status", flat=True))


def test_the_list_explains_each_error_and_masks_the_number(
    client: Client, letter: MakeLetter
) -> None:
    letter()
    page = client.get(LIST).content.decode()
    assert "Telnyx was not available. The text did not arrive." in page
    assert MEMBER not in page
    assert "Choir" not in page


def test_a_letter_shows_its_attempts_and_no_text(client: Client, letter: MakeLetter) -> None:
    text = letter()
    Attempt.objects.create(
        message=text,
        number=1,
        started_at=NOW,
        duration_ms=4321,
        outcome="retryable",
        code="http_503",
    )
    page = client.get(f"{LIST}{text.pk}/change/").content.decode()
    assert "4,321 ms" in page
    assert "27 characters, 1 part" in page
    assert MEMBER not in page
    assert "Choir" not in page


def test_the_list_costs_the_same_however_long_it_is(
    client: Client, letter: MakeLetter, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(40):
        letter(to_number=f"+1312555{number:04}")
    with django_assert_max_num_queries(12):
        client.get(LIST)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2), ("?status=unknown", 1), ("?error_code=40310", 1), ("?error_class=permanent", 1),
        ("?age=1h", 0), ("?age=older-7d", 2), ("?discarded=yes", 1), ("?discarded=all", 3),
    ],
)  # fmt: skip
def test_filters_select_rows(query: str, found: int, client: Client, letter: MakeLetter) -> None:
    long_ago = NOW - timedelta(days=400)
    letter("unknown", error_code="answer_lost", error_class="ambiguous", dead_since=long_ago)
    letter(error_code="40310", error_class="permanent", dead_since=long_ago)
    letter(discarded_at=NOW, discarded_reason="Over.", dead_since=long_ago)
    assert client.get(LIST + query).context["cl"].result_count == found


def test_dead_messages_are_retried_after_a_forecast(
    client: Client, letter: MakeLetter, support: User
) -> None:
    letters = [letter(), letter(parts=3)]
    page = act(client, "retry", letters).content.decode()
    assert "2 of the 2 texts" in page
    assert "4 parts, about a second" in page
    assert statuses() == ["dead", "dead"]
    act(client, "retry", letters, confirmed="yes")
    assert statuses() == ["queued", "queued"]
    assert DeadLetterAction.objects.filter(by=support, kind="retry").count() == 2
    assert LogEntry.objects.filter(user=support).count() == 2


def test_all_that_match_are_retried_not_only_the_page(client: Client, letter: MakeLetter) -> None:
    letters = [letter() for _ in range(60)]
    other = letter(error_code="40310", error_class="permanent")
    act(client, "retry", letters[:1], "?error_code=http_503", select_across="1", confirmed="yes")
    other.refresh_from_db()
    assert statuses().count("queued") == 60
    assert other.status == "dead"


def test_retrying_unknown_messages_asks_about_doubles(client: Client, letter: MakeLetter) -> None:
    letters = [letter(), letter("unknown")]
    page = act(client, "retry", letters)
    assert b"<strong>twice</strong>" in page.content
    assert statuses() == ["dead", "unknown"]
    act(client, "retry", letters, confirmed="yes", may_double="no")
    assert statuses() == ["queued", "unknown"]
    act(client, "retry", letters[1:], confirmed="yes", may_double="yes")
    assert statuses() == ["queued", "queued"]


def test_an_opted_out_recipient_is_refused_with_the_reason(
    client: Client, letter: MakeLetter, grace: Church
) -> None:
    OptOut.objects.create(tenant=grace, number=MEMBER, source="keyword", created_at=NOW)
    text = letter()
    assert b"The recipient has opted out." in act(client, "retry", [text]).content
    answer = act(client, "retry", [text], confirmed="yes")
    assert statuses() == ["dead"]
    assert b"The recipient has opted out." in client.get(answer["Location"]).content


def test_a_discard_asks_for_a_reason_and_keeps_it(client: Client, letter: MakeLetter) -> None:
    text = letter()
    assert b"Reason" in act(client, "discard", [text]).content
    assert b"Give a reason" in act(client, "discard", [text], confirmed="yes", reason=" ").content
    act(client, "discard", [text], confirmed="yes", reason="The event is over.")
    text.refresh_from_db()
    assert (text.status, text.discarded_reason) == ("dead", "The event is over.")
    assert client.get(LIST).context["cl"].result_count == 0


@pytest.mark.parametrize("button", ["_retry", "_review", "_discard"])
def test_a_letters_own_page_has_the_same_buttons(
    button: str, client: Client, letter: MakeLetter, support: User
) -> None:
    text = letter()
    client.post(f"{LIST}{text.pk}/change/", {button: "x", "reason": "Over."})
    text.refresh_from_db()
    done = {"_retry": text.status == "queued", "_review": text.reviewed_by == support,
            "_discard": text.discarded_reason == "Over."}  # fmt: skip
    assert done[button]
    assert DeadLetterAction.objects.count() == 1


def test_the_export_is_the_chosen_rows_and_is_logged(client: Client, letter: MakeLetter) -> None:
    answer = act(client, "export", [letter()])
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert len(list(csv.DictReader(answer.content.decode().splitlines()))) == 1
    assert LogEntry.objects.get().change_message == "Exported 1 as CSV."


def test_rows_cannot_be_added_changed_or_deleted(client: Client, letter: MakeLetter) -> None:
    text = letter()
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{text.pk}/delete/", {"post": "yes"}).status_code == 403
    before = Message.objects.values().get()
    client.post(f"{LIST}{text.pk}/change/", {"status": "delivered", "text": "x"})
    assert Message.objects.values().get() == before


def test_the_view_permission_alone_allows_no_action(
    client: Client, letter: MakeLetter, support: User
) -> None:
    support.user_permissions.remove(support.user_permissions.get(codename="change_deadletter"))
    text = letter()
    act(client, "retry", [text])
    assert client.post(f"{LIST}{text.pk}/change/", {"_retry": "x"}).status_code == 403
    assert statuses() == ["dead"]


@pytest.mark.parametrize("model", ["webhookevent", "optout"])
def test_support_sees_members_only_as_letters_show_them(model: str, client: Client) -> None:
    assert client.get(f"/admin/delivery/{model}/").status_code == 403


@pytest.mark.parametrize("model", ["webhookevent", "optout", "deadletter", "breakertransition"])
def test_each_page_opens_for_a_superuser(model: str, admin_client: Client) -> None:
    assert admin_client.get(f"/admin/delivery/{model}/?q=x").status_code == 200
