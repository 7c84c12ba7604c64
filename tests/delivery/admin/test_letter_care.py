"""The dead letter queue as a desk: search, dates, batches, colleagues, notes, saved filters, results."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from delivery.admin import saved_filters
from delivery.dead_letters import discard
from delivery.models import (
    DeadLetterAction,
    LetterAssignment,
    Message,
    OptOut,
    RetryRun,
    SavedFilter,
)
from delivery.opt_outs import opt_out
from koinonia import ids
from koinonia.models import Church
from tests.delivery.dead_letters.conftest import MEMBER, NOW, MakeLetter

pytestmark = pytest.mark.django_db

LIST = "/admin/delivery/deadletter/"
FILTERS = f"{LIST}filters/"


def act(client: Client, action: str, letters: list[Message], **more: str) -> Any:
    keys = [letter.pk for letter in letters]
    return client.post(LIST, {"action": f"{action}_selected", "_selected_action": keys, **more})


def found(client: Client, query: dict[str, Any]) -> list[int]:
    rows = client.get(LIST, query, follow=True).context["cl"].result_list
    return sorted(row.pk for row in rows)


@pytest.fixture
def colleague(support: User) -> User:
    user = User.objects.create_user("helen", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_deadletter"))
    return user


def test_a_search_finds_a_whole_number_and_each_id(client: Client, letter: MakeLetter) -> None:
    wanted = letter(provider_id="403-a")
    letter(to_number="+13125550009")
    for term in (
        MEMBER, "+1 (312) 555-0001", f"#{wanted.pk}", str(wanted.pk), "403-a", ids.encode(wanted.pk),
    ):  # fmt: skip
        assert wanted.pk in found(client, {"q": term}), term
        assert len(found(client, {"q": term})) == 1, term


@pytest.mark.parametrize("term", ["+131255500", "+1312", "Ruth", "%", "9" * 40, "\0", "-1"])
def test_a_part_of_a_number_finds_nobody(term: str, client: Client, letter: MakeLetter) -> None:
    letter()
    if term != "\0":
        assert found(client, {"q": term}) == []


def test_dates_bound_the_list_on_both_sides(client: Client, letter: MakeLetter) -> None:
    days = [NOW - timedelta(days=back) for back in (3, 2, 1)]
    rows = [
        letter(dead_since=day, updated_at=day, to_number=f"+1312555000{day.day % 10}")
        for day in days
    ]
    second = days[1].date().isoformat()
    assert found(client, {"died_from": second}) == [rows[1].pk, rows[2].pk]
    assert found(client, {"died_from": second, "died_until": second}) == [rows[1].pk]
    assert client.get(LIST, {"died_from": "banana"}).status_code == 302
    page = client.get(LIST, {"died_from": second, "status": "dead"}).content.decode()
    assert '<input type="hidden" name="status" value="dead">' in page


def test_the_letters_of_one_broadcast_are_listed(client: Client, letter: MakeLetter) -> None:
    wanted = letter(batch=7)
    letter(batch=8, to_number="+13125550002")
    assert found(client, {"batch": "7"}) == [wanted.pk]
    assert client.get(LIST, {"batch": "banana"}).status_code == 302
    assert "By broadcast" in client.get(LIST).content.decode()


def test_letters_are_assigned_to_a_colleague(
    client: Client, letter: MakeLetter, support: User, colleague: User
) -> None:
    mine, other = letter(), letter(to_number="+13125550002")
    assert b"helen" in act(client, "assign", [mine]).content
    act(client, "assign", [mine], assignee=str(support.pk))
    act(client, "assign", [other], assignee=str(colleague.pk))
    assert found(client, {"assigned": "me"}) == [mine.pk]
    assert found(client, {"assigned": "nobody"}) == []
    client.post(f"{LIST}{mine.pk}/change/", {"_assign": "x", "assignee": ""})
    assert found(client, {"assigned": "nobody"}) == [mine.pk]
    told = DeadLetterAction.objects.filter(message=mine, kind="assign").order_by("pk")
    assert list(told.values_list("reason", flat=True)) == ["support", ""]


def test_a_letter_is_assigned_to_nobody_who_may_not_decide(
    client: Client, letter: MakeLetter, grace_owner: User
) -> None:
    act(client, "assign", [letter()], assignee=str(grace_owner.pk))
    assert not LetterAssignment.objects.exists()


def test_a_note_stays_with_the_letter_and_an_empty_one_is_refused(
    client: Client, letter: MakeLetter
) -> None:
    page = f"{LIST}{letter().pk}/change/"
    client.post(page, {"_note": "x", "note": "Asked Telnyx, ticket 1."})
    assert "Asked Telnyx, ticket 1." in client.get(page).content.decode()
    answer = client.post(page, {"_note": "x", "note": " "}, follow=True)
    assert b"1 to 500 characters" in answer.content


def test_a_filter_is_kept_without_a_search_and_is_forgotten(
    client: Client, support: User, letter: MakeLetter
) -> None:
    query = "status=dead&error_code=http_503&q=%2B13125550001&p=2&to_number=x"
    client.post(FILTERS, {"name": "Telnyx away", "query": query})
    saved = SavedFilter.objects.get()
    assert (saved.user_id, saved.query) == (support.pk, "status=dead&error_code=http_503")
    assert 'href="?status=dead&amp;error_code=http_503"' in client.get(LIST).content.decode()
    client.post(FILTERS, {"forget": "Telnyx away"})
    assert not SavedFilter.objects.exists()


def test_a_person_has_a_bounded_number_of_filters_and_sees_only_theirs(
    client: Client, support: User, colleague: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_filters, "MOST", 2)
    SavedFilter.objects.create(user=colleague, name="Helen's", query="status=dead")
    for name in ("a", "b", "c"):
        answer = client.post(FILTERS, {"name": name, "query": "status=dead"}, follow=True)
    assert b"which are the most" in answer.content
    assert SavedFilter.objects.filter(user=support).count() == 2
    assert "Helen&#x27;s" not in client.get(LIST).content.decode()


def test_the_progress_of_a_retry_renews_itself_with_an_entity_tag(
    client: Client, letter: MakeLetter
) -> None:
    text = letter()
    page = act(client, "retry", [text], confirmed="yes", reason="Telnyx is back")["Location"]
    assert b"Telnyx is back" in client.get(page).content
    part = page.replace("change/", "progress/")
    first = client.get(part)
    assert b"0 delivered, 1 waiting" in first.content
    again = client.get(part, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Message.objects.filter(pk=text.pk).update(status="dead", error_code="40310", dead_since=NOW)
    changed = client.get(part, headers={"If-None-Match": first["ETag"]})
    assert b"0 delivered, 1 dead again: 40310" in changed.content
    assert "1 dead again: 40310" in client.get("/admin/delivery/retryrun/").content.decode()


GONE = "these texts are no longer in the queue. A colleague was quicker."


@pytest.mark.parametrize(
    ("act_of_mine", "given"),
    [
        ("retry", {"confirmed": "yes"}),
        ("assign", {"assignee": ""}),
        ("discard", {"confirmed": "yes", "reason": "No more."}),
    ],
)
def test_an_order_about_texts_that_a_colleague_has_taken_away_does_nothing_and_says_so(
    act_of_mine: str, given: dict[str, str], client: Client, letter: MakeLetter, colleague: User
) -> None:
    gone = letter()
    discard(gone, by=colleague, reason="The office said so.", now=NOW)
    answer = client.post(
        LIST,
        {"action": f"{act_of_mine}_selected", "_selected_action": [gone.pk], **given},
        follow=True,
    )
    assert GONE in answer.content.decode()
    assert not RetryRun.objects.exists()


def test_a_button_on_the_page_of_a_text_that_has_left_the_queue_says_so(
    client: Client, letter: MakeLetter
) -> None:
    gone = letter(status="delivered", dead_since=None)
    page = f"{LIST}{gone.pk}/change/"
    assert GONE in client.post(page, {"_retry": "x"}, follow=True).content.decode()


def test_a_person_reads_how_many_texts_a_colleague_was_quicker_with(
    client: Client, letter: MakeLetter, colleague: User
) -> None:
    texts = [letter(to_number=f"+1312555010{n}") for n in range(3)]
    question = act(client, "retry", texts).content.decode()
    assert 'name="counted" value="3"' in question
    discard(texts[0], by=colleague, reason="The office said so.", now=NOW)
    keys = [text.pk for text in texts]
    answer = client.post(
        LIST,
        {
            "action": "retry_selected", "_selected_action": keys, "confirmed": "yes", "counted": "3",
        },
        follow=True,
    )  # fmt: skip
    assert "1 of the 3 had left the queue" in answer.content.decode()
    assert RetryRun.objects.get().retried == 2


def test_texts_that_may_have_arrived_are_sent_again_only_after_a_tick(
    client: Client, letter: MakeLetter
) -> None:
    text = letter("unknown", error_code="answer_lost", error_class="ambiguous")
    page = client.post(f"{LIST}{text.pk}/change/", {"_retry": "x"}).content.decode()
    assert "This text may have arrived already" in page
    assert 'name="may_double" value="yes" required' in page
    assert "0 of the 1" not in page


def test_texts_that_cannot_go_are_asked_about_without_a_button(
    client: Client, letter: MakeLetter, grace: Church
) -> None:
    text = letter()
    opt_out(grace.pk, text.to_number, OptOut.Source.STAFF, now=NOW)
    page = act(client, "retry", [text]).content.decode()
    assert "This text stays" in page
    assert 'value="Retry"' not in page


def test_all_that_match_are_retried_from_one_button(client: Client, letter: MakeLetter) -> None:
    for n in range(60):
        letter(to_number=f"+131255502{n:02}")
    letter(to_number="+13125550300", error_code="40310", error_class="permanent")
    every = {
        "index": "0",
        "select_across": "1",
        "action": "retry_selected",
        "_selected_action": "0",
    }
    assert "Retry all" in client.get(LIST).content.decode()
    question = client.post(f"{LIST}?error_code=http_503", every).content.decode()
    assert "60 of the 60 texts" in question
    answer = {name: value for name, value in every.items() if name != "index"}
    client.post(f"{LIST}?error_code=http_503", {**answer, "confirmed": "yes", "counted": "60"})
    assert RetryRun.objects.get().retried == 60


def test_a_text_without_a_colleague_is_taken_by_one_click(
    client: Client, letter: MakeLetter, support: User
) -> None:
    page = client.get(f"{LIST}{letter().pk}/change/").content.decode()
    assert f'<option value="{support.pk}" selected>' in page


def test_a_list_says_that_it_is_empty_or_that_a_filter_was_not_understood(client: Client) -> None:
    assert "No dead letter matches." in client.get(LIST).content.decode()
    answer = client.get(LIST, {"died_from": "banana"}, follow=True)
    assert "A filter in the address was not understood." in answer.content.decode()
