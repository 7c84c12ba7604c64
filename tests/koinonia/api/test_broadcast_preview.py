"""The preview of a broadcast: counts, cost, and the members who get no text."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Message, OptOut
from delivery.opt_outs import opt_out
from koinonia.broadcasts.send import update_forecast
from koinonia.ids import encode
from koinonia.models import Broadcast, Church, Conversation, Member
from tests.support import cast

G = "/api/v1/churches/grace/"
ALL = {"audience": {"all": True}}


def post(client: APIClient, path: str, text: str, **body: Any) -> Any:
    return client.post(G + path, {"text": text, **ALL, **body}, format="json")


@pytest.fixture
def lukasz(grace: Church, anna: Member) -> Member:
    return cast.member(grace, "Łukasz", "+13125550121")


def test_parts_are_counted_on_the_rendered_texts(
    sender: APIClient, grace: Church, settings: Any
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "PART_PRICE": "0.0140", "SENDER_RATE": 2}
    for number, name in enumerate(["Ann", "José", "María", "Łukasz", "O’Brien"]):
        cast.member(grace, name, f"+131255501{number + 30}")
    shown = post(sender, "broadcasts/preview/", "{first_name} " + "x" * 141).json()
    assert (shown["people"], shown["parts"]) == (5, 1 + 1 + 3 + 3 + 3)
    assert (shown["cost"], shown["seconds"]) == ("0.1540", 6)
    dearest = shown["dearest"]
    assert (dearest["member"]["name"], dearest["parts"], dearest["encoding"]) == (
        "O’Brien", 3, "UCS-2",
    )  # fmt: skip
    assert dearest["text"].startswith("O’Brien xx")
    assert shown["characters"] == [
        {"character": "’", "name": "RIGHT SINGLE QUOTATION MARK", "count": 1, "plain": "'"}
    ]
    assert (shown["left_out"], shown["left_out_total"]) == ([], 0)


def test_doubles_and_opt_outs_are_not_counted_and_are_named(
    sender: APIClient, grace: Church, anna: Member, ben: Member
) -> None:
    tim = cast.member(grace, "Tim", anna.phone)
    opt_out(grace.pk, ben.phone, OptOut.Source.KEYWORD, now=timezone.now())
    shown = post(sender, "broadcasts/preview/", "Hi {first_name}").json()
    counts = {name: shown[name] for name in ("people", "opted_out", "doubles", "parts")}
    assert counts == {"people": 1, "opted_out": 1, "doubles": 1, "parts": 1}
    assert [one["member"]["name"] for one in shown["left_out"]] == ["Ben", "Tim"]
    assert shown["left_out"][1]["reason"] == "Anna Lee has the same number and gets the text."
    assert shown["left_out"][1]["member"]["id"] == encode(tim.pk)


def test_a_preview_stores_nothing_and_is_forbidden_to_viewers(
    sender: APIClient, viewer: APIClient, anna: Member
) -> None:
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    shown = post(sender, "broadcasts/preview/", "Hi", send_at=later)
    assert (shown.status_code, shown.json()["cost"]) == (200, None)
    assert not any(model.objects.exists() for model in (Broadcast, Message, Conversation))
    assert post(viewer, "broadcasts/preview/", "Hi").status_code == 403
    assert sender.get(f"{G}broadcasts/preview/").status_code == 405
    assert sender.options(f"{G}broadcasts/preview/").status_code == 200
    nobody = post(sender, "broadcasts/preview/", "Hi", audience={"members": []})
    assert nobody.status_code == 400


def test_previews_are_not_charged_to_broadcasts(
    sender: APIClient, anna: Member, settings: Any
) -> None:
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": True}
    shown = post(sender, "broadcasts/preview/", "Hi")
    assert "broadcasts" not in shown["RateLimit-Policy"]


@pytest.mark.parametrize("send_at", [None, timedelta(hours=1)])
def test_a_member_with_too_long_a_rendering_is_left_out_and_the_others_are_texted(
    sender: APIClient, anna: Member, lukasz: Member, send_at: timedelta | None
) -> None:
    when = {"send_at": (timezone.now() + send_at).isoformat()} if send_at else {}
    answer = post(sender, "broadcasts/", "{first_name} " + "x" * 690, **when)
    made = answer.json()
    assert (answer.status_code, made["total"]) == (202, 1)
    (left_out,) = made["left_out"]
    assert left_out["member"] == {"id": encode(lukasz.pk), "name": "Łukasz"}
    assert "11 parts" in left_out["reason"]
    assert "Ł (latin capital letter l with stroke)" in left_out["reason"]
    assert made["left_out_total"] == 1
    shown = sender.get(f"{G}broadcasts/{made['id']}/").json()
    assert "left_out" not in shown
    warned = post(sender, "broadcasts/preview/", "{first_name} " + "x" * 690).json()
    assert warned["left_out"] == made["left_out"]
    assert (warned["dearest"]["member"]["name"], warned["dearest"]["parts"]) == ("Łukasz", 11)


def test_many_left_out_members_are_counted_and_some_are_named(
    sender: APIClient, anna: Member, grace: Church
) -> None:
    people = [
        Member(church=grace, first_name="Ł", phone=f"+1312556{number:04}") for number in range(101)
    ]
    Member.objects.bulk_create(people)
    made = post(sender, "broadcasts/", "{first_name} " + "x" * 690).json()
    assert (len(made["left_out"]), made["left_out_total"]) == (100, 101)


def test_a_text_that_is_too_long_for_all_is_refused(sender: APIClient, lukasz: Member) -> None:
    refused = post(sender, "broadcasts/", "{first_name} " + "x" * 1590)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["text"])


def test_a_broadcast_without_left_out_members_has_the_usual_shape(
    sender: APIClient, anna: Member
) -> None:
    made = post(sender, "broadcasts/", "Hi").json()
    assert made == sender.get(f"{G}broadcasts/{made['id']}/").json()


def test_a_shared_number_is_texted_under_a_name_that_fits(
    sender: APIClient, grace: Church, lukasz: Member
) -> None:
    cast.member(grace, "Tim", lukasz.phone)
    made = post(sender, "broadcasts/", "{first_name} " + "x" * 690).json()
    assert (made["total"], "left_out" in made) == (2, False)
    assert Message.objects.get(to_number=lukasz.phone).text.startswith("Tim ")


def test_a_blocked_number_is_named_and_not_counted(
    sender: APIClient, grace: Church, anna: Member
) -> None:
    hans = cast.member(grace, "Hans", "+4915112345678")
    shown = post(sender, "broadcasts/preview/", "Hi").json()
    assert (shown["people"], shown["parts"], shown["left_out_total"]) == (1, 1, 1)
    assert shown["left_out"][0]["member"]["id"] == encode(hans.pk)
    assert "not switched on here: Germany." in shown["left_out"][0]["reason"]


def test_a_planned_broadcast_counts_the_people_of_its_preview(
    sender: APIClient, grace: Church, anna: Member, ben: Member
) -> None:
    for name, number in (("Hans", "+4915112345678"), ("Jamila", "+18765550123")):
        cast.member(grace, name, number)
    opt_out(grace.pk, ben.phone, OptOut.Source.KEYWORD, now=timezone.now())
    shown = post(sender, "broadcasts/preview/", "Hi").json()
    planned = post(sender, "broadcasts/", "Hi", send_at=timezone.now() + timedelta(hours=2)).json()
    assert shown["people"] == planned["counts"]["scheduled"] == 1
    assert (planned["total"], planned["counts"]["suppressed"]) == (2, 1)
    assert [one["member"]["name"] for one in planned["left_out"]] == ["Hans", "Jamila"]
    path = f"{G}broadcasts/{planned['id']}/"
    changed = sender.patch(path, {"text": "Dear all"}, format="json", HTTP_IF_MATCH="*").json()
    assert (changed["total"], changed["counts"]) == (planned["total"], planned["counts"])
    stored = Broadcast.objects.get()
    update_forecast(stored)
    stored.refresh_from_db()
    assert stored.counts() == planned["counts"]


def test_a_preview_is_refused_like_the_broadcast_if_the_church_has_no_number(
    sender: APIClient, grace: Church, anna: Member
) -> None:
    Church.objects.filter(pk=grace.pk).update(phone_number=None)
    answers = [post(sender, path, "Hi") for path in ("broadcasts/preview/", "broadcasts/")]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].json() == answers[1].json()


_NAMES = [
    "",
    "Ann",
    "José",
    "María",
    "Łukasz",
    "O’Brien",
    "Zoë",
    "€uro",
    "[Ben]",
    "👩‍👩‍👧",
    "Nguyễn",
    "e\u0301lodie",
]
_BEFORE = [
    "{first_name} ",
    "Hi {first_name}, ",
    "{first_name}{last_name}",
    "{ LAST_NAME } of {church}: ",
    "",
]
_BORDERS = [
    1,
    69,
    70,
    71,
    133,
    134,
    135,
    152,
    153,
    154,
    159,
    160,
    161,
    305,
    306,
    307,
    665,
    670,
    1525,
    1530,
]
_LETTERS = ["x", "€", "é", "[", "’", "👩‍👩‍👧", "a\u0301", "x x "]


@pytest.mark.parametrize("seed", range(6))
def test_a_preview_equals_the_broadcast_that_follows(
    seed: int, sender: APIClient, grace: Church, settings: Any
) -> None:
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": False}
    by_chance = random.Random(seed)
    phones = [f"+131255501{number:02}" for number in range(20)]
    phones += ["+4915112345678", "+16715550123"]
    for _ in range(30):
        first, last = by_chance.choice(_NAMES), by_chance.choice(_NAMES)
        cast.member(grace, first, by_chance.choice(phones), last_name=last)
    for number in by_chance.sample(phones, 4):
        opt_out(grace.pk, number, OptOut.Source.KEYWORD, now=timezone.now())
    for _ in range(8):
        length = by_chance.choice(_BORDERS) + by_chance.randint(-8, 2)
        letters = by_chance.choice(_LETTERS) + "x" * max(0, length - 1)
        text = (by_chance.choice(_BEFORE) + letters)[:1600]
        shown = post(sender, "broadcasts/preview/", text)
        sent = post(sender, "broadcasts/", text)
        told = shown.json()
        if sent.status_code == 400:
            # The broadcast would reach no member of the audience; the preview names each member.
            assert (told["people"], told["opted_out"], told["doubles"]) == (0, 0, 0)
            assert told["left_out_total"] > 0
            continue
        rows = Message.objects.filter(batch=Broadcast.objects.latest("pk").pk)
        queued = rows.filter(status="queued")
        assert (told["people"], told["parts"], told["opted_out"]) == (
            queued.count(), sum(row.parts for row in queued), rows.filter(status="suppressed").count(),
        )  # fmt: skip
        everyone = Member.objects.filter(church=grace).count()
        assert told["people"] + told["left_out_total"] == everyone
        if told["dearest"] and told["dearest"]["parts"] <= 10:
            dearest = max(row.parts for row in queued)
            assert queued.filter(text=told["dearest"]["text"]).first().parts == dearest  # type: ignore[union-attr]


def test_all_members_of_a_shared_number_are_named_if_no_name_fits(
    sender: APIClient, grace: Church, anna: Member, lukasz: Member
) -> None:
    cast.member(grace, "Zoë Łucja", lukasz.phone)
    made = post(sender, "broadcasts/", "{first_name} " + "x" * 690).json()
    assert [one["member"]["name"] for one in made["left_out"]] == ["Łukasz", "Zoë Łucja"]
    assert (made["left_out_total"], made["total"]) == (2, 1)
