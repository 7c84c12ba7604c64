"""Keywords, the members of a group, and the settings of a church through the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from delivery.limits import spend
from delivery.models import SpendLimit
from koinonia.ids import encode
from koinonia.models import Church, Group, Keyword, Member

BASE = "/api/v1/churches/grace/"
KEYWORDS, SETTINGS = f"{BASE}keywords/", f"{BASE}settings/"


@pytest.fixture
def choir(grace: Church) -> Group:
    return Group.objects.create(church=grace, name="Choir")


def post(client: APIClient, path: str, **body: Any) -> Any:
    return client.post(path, body, format="json")


def test_a_keyword_is_made_read_changed_and_deleted(sender: APIClient, choir: Group) -> None:
    made = post(sender, KEYWORDS, word="CHOIR", group=encode(choir.pk), answer="Welcome!")
    assert made.status_code == 201
    shown = made.json()
    assert list(shown) == ["id", "word", "group", "answer", "created_at", "etag"]
    assert shown["group"] == {"id": encode(choir.pk), "name": "Choir"}
    assert sender.get(KEYWORDS).json()["results"] == [shown]
    path = made["Location"]
    changed = sender.patch(
        path, {"word": "SING"}, format="json", headers={"if-match": shown["etag"]}
    )
    assert (changed.json()["word"], Keyword.objects.get().key) == ("SING", "sing")
    assert sender.delete(path).status_code == 204


@pytest.mark.parametrize("word", ["Choir", "choir!", "CHÓIR"])
def test_one_word_joins_one_group(sender: APIClient, choir: Group, word: str) -> None:
    Keyword.objects.create(church=choir.church, word="CHOIR", group=choir)
    refused = post(sender, KEYWORDS, word=word, group=encode(choir.pk))
    assert refused.status_code == 400
    assert "joins another group already" in refused.json()["errors"]["word"][0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"word": "STOP"}, "word"), ({"word": ""}, "word"), ({"group": "nothing"}, "group"),
        ({"answer": "Hi {nickname}"}, "answer"), ({"answer": "x" * 481}, "answer"), ({"reply": "Hi"}, "reply"),
    ],
)  # fmt: skip
def test_bad_keywords_are_named_by_field(
    sender: APIClient, choir: Group, body: dict[str, Any], field: str
) -> None:
    given = {"word": "CHOIR", "group": encode(choir.pk), **body}
    refused = sender.post(KEYWORDS, given, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])


def test_a_church_has_at_most_a_hundred_keywords(sender: APIClient, choir: Group) -> None:
    for number in range(100):
        Keyword.objects.create(church=choir.church, word=f"W{number}", group=choir)
    refused = post(sender, KEYWORDS, word="CHOIR", group=encode(choir.pk))
    assert "at most 100" in refused.json()["errors"]["non_field_errors"][0]


def test_members_join_and_leave_a_group(
    sender: APIClient, choir: Group, anna: Member, ben: Member, hope: Church
) -> None:
    path = f"{BASE}groups/{encode(choir.pk)}/members/"
    anna_id, ben_id = encode(anna.pk), encode(ben.pk)
    assert post(sender, path, add=[anna_id, ben_id]).json()["members_count"] == 2
    assert post(sender, path, add=[anna_id], remove=[ben_id]).json()["members_count"] == 1
    before = Member.objects.get(pk=anna.pk).version
    assert post(sender, path, add=[anna_id]).status_code == 200
    assert Member.objects.get(pk=anna.pk).version == before
    for body in ({}, {"add": [anna_id], "remove": [anna_id]}, {"add": ["nobody"]}):
        assert post(sender, path, **body).status_code == 400


def test_a_member_without_a_first_name_is_sent_back_as_it_was_read(
    sender: APIClient, grace: Church, anna: Member
) -> None:
    joined = Member.objects.create(church=grace, last_name="+13125550199", phone="+13125550199")
    for member, code in ((joined, 200), (anna, 400)):
        path = f"{BASE}members/{encode(member.pk)}/"
        read = sender.get(path).json() | {"groups": [], "first_name": ""}
        assert sender.patch(path, read, format="json").status_code == code


def test_a_group_has_a_welcome_text(sender: APIClient, choir: Group) -> None:
    path = f"{BASE}groups/{encode(choir.pk)}/"
    changed = sender.patch(path, {"welcome_text": "Practice is on Thursday."}, format="json").json()
    assert (changed["name"], changed["welcome_text"]) == ("Choir", "Practice is on Thursday.")
    refused = sender.patch(path, {"welcome_text": "Hi {nickname}"}, format="json")
    assert list(refused.json()["errors"]) == ["welcome_text"]


def test_owners_change_the_settings_they_have_seen(owner: APIClient, grace: Church) -> None:
    seen = owner.get(SETTINGS).json()
    assert (seen["office_hours"], seen["daily_cap"], seen["operator_daily_cap"]) == (
        None,
        None,
        20_000,
    )
    change = {
        "language": "es", "signature": "Grace Church", "part_price": "0.0140", "opt_out_words": "ALTO, BAJA",
        "office_hours": {"mon": ["09:00", "17:00"]}, "answers_when_closed": True, "daily_cap": 500,
    }  # fmt: skip
    changed = owner.patch(SETTINGS, change, format="json", headers={"if-match": seen["etag"]})
    assert changed.status_code == 200, changed.json()
    assert {name: changed.json()[name] for name in change} == change
    stale = owner.patch(
        SETTINGS, {"daily_cap": 1}, format="json", headers={"if-match": seen["etag"]}
    )
    assert stale.status_code == 412


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timezone": "Mars"}, "timezone"), ({"language": "la"}, "language"), ({"opt_out_words": "START"}, "opt_out_words"),
        ({"opt_out_words": "choir"}, "opt_out_words"), ({"answers_when_closed": True}, "office_hours"),
        ({"office_hours": {"mon": ["17:00", "09:00"]}}, "office_hours"), ({"office_hours": {"someday": []}}, "office_hours"),
        ({"office_hours": {"mon": ["9", "17"]}}, "office_hours"), ({"daily_cap": 0}, "daily_cap"), ({"part_price": "-1"}, "part_price"),
        ({"closed_answer": "{"}, "closed_answer"), ({"operator_cap": 5}, "operator_cap"),
    ],
)  # fmt: skip
def test_bad_settings_are_named_by_field(
    owner: APIClient, choir: Group, change: dict[str, Any], field: str
) -> None:
    Keyword.objects.create(church=choir.church, word="CHOIR", group=choir)
    refused = owner.patch(SETTINGS, change, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])


@pytest.mark.parametrize(
    ("own", "operators", "cap"),
    [(500, None, 500), (500, 100, 100), (None, 100, 100), (30_000, None, 20_000)],
)
def test_the_cap_of_a_church_never_raises_that_of_the_operator(
    grace: Church, own: int | None, operators: int | None, cap: int
) -> None:
    from django.utils import timezone

    SpendLimit.objects.create(tenant=grace, cap=operators)
    spend.set_own_cap(grace.pk, own, timezone.now())
    assert spend.current(grace.pk, timezone.now()).cap == cap
