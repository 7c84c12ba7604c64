"""Answers outside the office hours and to first texts: at most one per number and 12 hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from delivery.content.encoding import measure_message
from delivery.models import Message, OptOut
from delivery.models.message import Encoding
from koinonia.answers import office_hours, sentences
from koinonia.models import Church, Group, Keyword, SendingNumber
from tests.koinonia.answers.conftest import NOW, PERSON, Hear, answers
from tests.support import cast

pytestmark = pytest.mark.django_db

NIGHT = NOW + timedelta(hours=12)
"""22:00 in Chicago."""
CLOSED = "Thank you for your text to Grace Church. Our office is closed now; we answer when it is open again."


@pytest.fixture
def answering(grace: Church) -> Church:
    grace.timezone = "America/Chicago"
    grace.office_hours = {day: ["09:00", "17:00"] for day in office_hours.DAYS[:5]}
    grace.answers_when_closed = True
    grace.save()
    return grace


def first_contacts(church: Church, words: str = "Hello, {first_name}!") -> None:
    church.answers_first_contact, church.first_contact_answer = True, words
    church.save()


def test_a_text_at_night_is_answered_and_one_by_day_is_not(answering: Church, hear: Hear) -> None:
    hear("When is the service?")
    assert answers() == []
    hear("When is the service?", at=NIGHT)
    assert answers() == [CLOSED]


def test_a_number_gets_one_answer_in_twelve_hours(answering: Church, hear: Hear) -> None:
    for minutes in (0, 1, 30):
        hear("Hello?", at=NIGHT + timedelta(minutes=minutes))
    assert len(answers()) == 1
    hear("Hello?", at=NIGHT, **{"from": {"phone_number": "+13125550002"}})
    assert len(answers()) == 2
    hear("Hello?", at=NIGHT + timedelta(days=1))
    assert len(answers()) == 3


def test_the_first_text_of_a_number_is_answered(grace: Church, hear: Hear) -> None:
    first_contacts(grace)
    cast.member(grace, "Ruth", PERSON)
    hear("Good morning")
    hear("And a question", at=NOW + timedelta(days=2))
    assert answers() == ["Hello, Ruth!"]


def test_a_first_text_at_night_gets_one_answer_for_both(answering: Church, hear: Hear) -> None:
    first_contacts(answering)
    hear("Hello", at=NIGHT)
    assert answers() == [f"Hello!\n{CLOSED}"]


def test_without_a_switch_nothing_is_answered(grace: Church, hear: Hear) -> None:
    grace.office_hours = {}
    grace.save()
    hear("Hello")
    assert answers() == []


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "START", "HELP", "info", "please stop texting me", "Liked “See you on Sunday”",
        "Reacted 🙏 to “See you”", "Auto-reply: I'm driving.", "I am out of the office until Monday.",
        "This number is not monitored.", "Respuesta automática: gracias",
    ],
)  # fmt: skip
def test_words_for_the_system_and_answers_of_programs_get_none(
    text: str, answering: Church, hear: Hear
) -> None:
    first_contacts(answering)
    hear(text, at=NIGHT)
    assert answers() == []


@pytest.mark.parametrize("sender", ["70070", "+13125550200"])
def test_short_codes_and_numbers_of_churches_get_none(
    sender: str, answering: Church, hope: Church, hear: Hear
) -> None:
    assert SendingNumber.objects.filter(number=hope.phone_number).exists()
    hear("Hello", at=NIGHT, **{"from": {"phone_number": sender}})
    assert answers() == []


def test_numbers_that_opted_out_and_old_texts_get_none(answering: Church, hear: Hear) -> None:
    OptOut.objects.create(tenant=answering, number=PERSON, source="staff", created_at=NOW)
    hear("Hello", at=NIGHT)
    hear("Hello", at=NIGHT, applied=False, **{"from": {"phone_number": "+13125550002"}})
    hear("Something else", at=NIGHT + timedelta(hours=2), **{"from": {"phone_number": "70070"}})
    assert Message.objects.filter(direction="inbound").count() == 3
    assert answers() == []


def test_the_answer_is_in_the_language_of_the_church(answering: Church, hear: Hear) -> None:
    Church.objects.update(language="es")
    hear("Hola", at=NIGHT)
    assert answers() == [
        "Gracias por escribir a Grace Church. Nuestra oficina no atiende a esta hora; le respondemos"
        " cuando abra de nuevo."
    ]


def test_the_spanish_answers_need_no_costly_character(grace: Church) -> None:
    grace.language = "es"
    group = Group(church=grace, name="Coro")
    keyword = Keyword(church=grace, word="CORO", group=group)
    words = [
        sentences.standard_welcome("CORO", group, grace),
        sentences.left(keyword, group, grace),
        sentences.standard_closed(grace),
        sentences.standard_first_contact(grace),
    ]
    assert ["Coro" in one or "{church}" in one for one in words] == [True] * 4
    assert [measure_message(one, media=False).encoding for one in words] == [Encoding.GSM7] * 4


@pytest.mark.parametrize(("word", "shown"), [("choir", "CHOIR"), ("città", "città")])
def test_an_answer_names_its_keyword_in_capitals_that_cost_nothing(
    grace: Church, word: str, shown: str
) -> None:
    group = Group(church=grace, name="Choir")
    keyword = Keyword(church=grace, word=word, group=group)
    assert f"Text {shown} STOP to leave it" in sentences.standard_welcome(word, group, grace)
    assert f"Text {shown} to join again" in sentences.left(keyword, group, grace)


@pytest.mark.parametrize(
    ("local", "is_open"),
    [((23, 9, 0), True), ((23, 8, 59), False), ((23, 16, 59), True), ((23, 17, 0), False), ((28, 10, 0), False)],
)  # fmt: skip
def test_office_hours_are_those_of_the_zone(
    answering: Church, local: tuple[int, int, int], is_open: bool
) -> None:
    at = datetime(2026, 11, *local, tzinfo=UTC) + timedelta(hours=6)
    assert office_hours.is_open(answering, at) == is_open
