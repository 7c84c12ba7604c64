"""A word texted to the church's number joins a group and answers, exactly once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from delivery.models import Message, OptOut
from delivery.tracking import apply_waiting_events
from koinonia.answers import received
from koinonia.answers.keywords import check_word
from koinonia.models import Church, Conversation, Group, Keyword, Member
from koinonia.models.member import called
from realtime.models import Event
from tests.koinonia.answers.conftest import NOW, PERSON, Hear, answers
from tests.support import cast

pytestmark = pytest.mark.django_db


def numbers_in(group: Group) -> list[str]:
    return sorted(group.members.values_list("phone", flat=True))


@pytest.mark.parametrize(
    "word", ["CHOIR", "choir!", " Choir \n", "“choir”", "Choir\nSent from my iPhone"]
)
def test_a_member_who_texts_the_word_is_in_the_group_and_gets_the_answer(
    word: str, grace: Church, choir: Group, keyword: Keyword, hear: Hear
) -> None:
    cast.member(grace, "Ruth", PERSON)
    hear(word)
    assert numbers_in(choir) == [PERSON]
    assert answers() == ["Welcome to the choir, Ruth!"]
    answer = Message.objects.get(direction="outbound")
    assert (answer.to_number, answer.status, answer.thread) == (
        PERSON, "queued", Conversation.objects.get().pk,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["choir practice?", "the choir", "", "CHOIRS", "yes"])
def test_other_texts_join_nothing(text: str, choir: Group, keyword: Keyword, hear: Hear) -> None:
    hear(text)
    assert (numbers_in(choir), answers()) == ([], [])


def test_a_number_without_a_member_becomes_a_member_called_by_the_number(
    grace: Church, choir: Group, keyword: Keyword, hear: Hear
) -> None:
    hear("Choir")
    member = Member.objects.get()
    assert (member.name, member.last_name, member.church) == ("", PERSON, grace)
    assert called(member, "US") == "(312) 555-0001"
    assert answers() == ["Welcome to the choir!"]
    assert set(Message.objects.values_list("recipient", flat=True)) == {member.pk}


def test_the_event_of_the_text_names_the_new_member(
    choir: Group, keyword: Keyword, hear: Hear
) -> None:
    hear("Choir")
    told = dict(Event.objects.order_by("seq").values_list("type", "body"))
    assert list(told) == ["message.received", "message.created"]
    assert f'"name":"{PERSON}"' in told["message.received"]


@pytest.mark.parametrize("text", ["CHOIR STOP", "Stop choir", "choir end", "Choir, stop."])
def test_the_word_with_a_stop_word_leaves_the_group_alone(
    text: str, grace: Church, choir: Group, keyword: Keyword, hear: Hear
) -> None:
    youth = Group.objects.create(church=grace, name="Youth")
    for name in ("Ruth", "Boaz"):  # They share the phone.
        cast.member(grace, name, PERSON).groups.add(choir, youth)
    hear(text)
    assert (numbers_in(choir), numbers_in(youth)) == ([], [PERSON, PERSON])
    assert answers() == ["Grace Church: you have left Choir. Text CHOIR to join again."]
    assert not OptOut.objects.exists()


def test_stop_alone_still_ends_all_texts(
    grace: Church, choir: Group, keyword: Keyword, hear: Hear
) -> None:
    hear("STOP")
    assert OptOut.objects.get().number == PERSON
    hear("CHOIR", at=NOW + timedelta(minutes=1))
    assert (numbers_in(choir), answers()) == ([], [])


def test_the_answer_falls_back_to_the_group_and_to_a_sentence(
    grace: Church, choir: Group, keyword: Keyword, hear: Hear
) -> None:
    Keyword.objects.update(answer="")
    hear("CHOIR")
    Group.objects.update(welcome_text="Practice is on Thursday.")
    hear("CHOIR", **{"from": {"phone_number": "+13125550002"}})
    assert answers() == [
        "Grace Church: you are in Choir now. Text CHOIR STOP to leave it, STOP to end all texts.",
        "Practice is on Thursday.",
    ]


def test_a_repeat_is_answered_once_in_twelve_hours(
    choir: Group, keyword: Keyword, hear: Hear
) -> None:
    for minutes in (0, 1, 60 * 12 - 1):
        hear("CHOIR", at=NOW + timedelta(minutes=minutes))
    assert len(answers()) == 1
    hear("CHOIR", at=NOW + timedelta(hours=13))
    assert len(answers()) == 2
    assert Member.objects.count() == 1


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("first", "second", "inside"), [("CHOIR", "CHOIR STOP", False), ("CHOIR STOP", "CHOIR", True)]
)
def test_the_newest_request_counts_in_any_order_of_arrival(
    first: str,
    second: str,
    inside: bool,
    together: bool,
    choir: Group,
    keyword: Keyword,
    hear: Hear,
) -> None:
    later = NOW + timedelta(seconds=20)
    hear(second, at=later, applied=not together)
    hear(first, applied=not together)
    apply_waiting_events(later + timedelta(minutes=1))
    assert bool(numbers_in(choir)) == inside


def test_another_church_has_the_word_to_itself(
    grace: Church, hope: Church, choir: Group, keyword: Keyword, hear: Hear
) -> None:
    band = Group.objects.create(church=hope, name="Band")
    Keyword.objects.create(church=hope, word="Choir", group=band)
    hear("CHOIR", to=[{"phone_number": hope.phone_number}])
    assert (numbers_in(choir), numbers_in(band)) == ([], [PERSON])


@pytest.mark.parametrize("sender", ["70070", "+13125550100"])
def test_short_codes_and_our_numbers_join_nothing(
    sender: str, choir: Group, keyword: Keyword, hear: Hear
) -> None:
    hear("CHOIR", **{"from": {"phone_number": sender}})
    assert (numbers_in(choir), answers()) == ([], [])


def test_a_fault_in_the_answer_does_not_lose_the_text(
    choir: Group, keyword: Keyword, hear: Hear, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(received, "accept_message", fail)
    hear("CHOIR")
    assert Message.objects.get().text == "CHOIR"
    assert numbers_in(choir) == []
    assert "answer_failed" in {getattr(line, "action", "") for line in caplog.records}


def test_an_answer_to_a_refused_country_leaves_the_member_in_the_group(
    choir: Group, keyword: Keyword, hear: Hear
) -> None:
    hear("CHOIR", **{"from": {"phone_number": "+882131234567"}})
    assert (numbers_in(choir), answers()) == (["+882131234567"], [])


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_one_member_of_one_number(
    choir: Group, keyword: Keyword, hear: Hear
) -> None:
    hear("hello")
    for _ in range(4):
        hear("CHOIR", at=NOW + timedelta(minutes=1), applied=False)

    def work() -> None:
        try:
            apply_waiting_events(NOW + timedelta(minutes=2), limit=2)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    apply_waiting_events(NOW + timedelta(minutes=3))
    assert Message.objects.filter(text="CHOIR").count() == 4
    assert (Member.objects.count(), len(answers())) == (1, 1)


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("STOP", "another meaning"), ("stop all", "another meaning"), ("Start", "another meaning"),
        ("HELP", "another meaning"), ("info!", "another meaning"), ("parar", "another meaning"),
        ("A", "2 to 30"), ("🎵", "2 to 30"), ("x" * 31, "2 to 30"), ("GAME END", "ends texts"),
        ("cancel trip", "ends texts"),
    ],
)  # fmt: skip
def test_some_words_cannot_be_keywords(grace: Church, word: str, problem: str) -> None:
    grace.opt_out_words = "ALTO, Parar"
    with pytest.raises(ValidationError, match=problem):
        check_word(grace, word)


@pytest.mark.parametrize("word", ["CHOIR", "Weekend", "HOME VISITS", "café", "Хор", "2026"])
def test_other_words_can(grace: Church, word: str) -> None:
    check_word(grace, word)
