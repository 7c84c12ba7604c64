"""Conversations are assigned, done and open again; the list is filtered and searched."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from delivery.models import Message, OptOut
from koinonia.conversations import mark_read
from koinonia.ids import encode
from koinonia.inbox.lists import unread_conversations
from koinonia.models import Church, Conversation, Role, Staff
from realtime.models import Event
from tests.koinonia.inbox.conftest import NOW, PHONE, receive, send
from tests.support import cast

pytestmark = pytest.mark.django_db

G = "/api/v1/churches/grace/"


def conversation_of(church: Church, number: str = PHONE) -> Conversation:
    return Conversation.objects.get(church=church, phone=number)


def url(church: Church, number: str = PHONE) -> str:
    return f"{G}conversations/{encode(conversation_of(church, number).pk)}/"


def listed(client: APIClient, query: str) -> list[str]:
    answer = client.get(f"{G}conversations/?{query}")
    assert answer.status_code == 200, answer.content
    return [row["phone"] for row in answer.json()["results"]]


def last_event(church: Church) -> tuple[str, dict[str, Any]]:
    row = Event.objects.filter(stream__key=f"church:{church.slug}").latest("seq")
    return row.type, json.loads(row.body)["data"]


def patch(client: APIClient, church: Church, **body: Any) -> Any:
    return client.patch(url(church), body, format="json")


def test_a_conversation_is_assigned_and_its_colleagues_are_told(
    sender: APIClient, grace: Church, grace_sender: User
) -> None:
    receive(grace)
    answer = patch(sender, grace, assigned_to="me")
    membership = Staff.objects.get(user=grace_sender)
    shown = {"id": encode(membership.pk), "name": "grace-sender"}
    assert (answer.status_code, answer.json()["assigned_to"]) == (200, shown)
    kind, data = last_event(grace)
    assert (kind, data["assigned_to"], data["opted_out"]) == ("conversation.updated", shown, False)
    assert patch(sender, grace, assigned_to=None).json()["assigned_to"] is None


def test_an_item_may_be_sent_back_as_it_was_read(sender: APIClient, grace: Church) -> None:
    receive(grace)
    read = patch(sender, grace, assigned_to="me").json()
    assert sender.patch(url(grace), read, format="json").json() == read


def test_a_viewer_and_a_stranger_cannot_be_assigned(
    sender: APIClient, grace: Church, grace_viewer: User, hope_owner: User
) -> None:
    receive(grace)
    for user, words in ((grace_viewer, "A viewer cannot answer"), (hope_owner, "no colleague")):
        key = encode(Staff.objects.get(user=user).pk)
        answer = patch(sender, grace, assigned_to=key)
        assert (answer.status_code, words in answer.json()["errors"]["assigned_to"][0]) == (
            400,
            True,
        )


def test_a_conversation_is_free_again_when_its_colleague_leaves(
    sender: APIClient, grace: Church, grace_sender: User
) -> None:
    receive(grace)
    patch(sender, grace, assigned_to="me")
    Staff.objects.get(user=grace_sender).delete()
    assert conversation_of(grace).assigned_to is None


def test_a_new_text_opens_a_conversation_that_was_done(sender: APIClient, grace: Church) -> None:
    receive(grace)
    mark_read(conversation_of(grace), now=NOW)
    assert patch(sender, grace, done=True).json()["done"] is True
    assert (listed(sender, "open=1"), listed(sender, "done=1")) == ([], [PHONE])
    receive(grace, "One more thing")
    assert (listed(sender, "open=1"), listed(sender, "done=1")) == ([PHONE], [])


def test_a_conversation_with_an_unread_text_is_not_done(sender: APIClient, grace: Church) -> None:
    receive(grace)
    answer = patch(sender, grace, done=True)
    assert (answer.status_code, "nobody has read" in answer.json()["detail"]) == (409, True)
    assert conversation_of(grace).state == "open"


def test_a_broadcast_opens_no_conversation(sender: APIClient, grace: Church) -> None:
    send(grace, "Dear all")
    assert listed(sender, "open=1") == []
    assert patch(sender, grace, done=False).json()["done"] is False
    assert listed(sender, "open=1") == [PHONE]


def test_the_lists_have_the_order_of_the_persons_texts(
    sender: APIClient, grace: Church, grace_sender: User
) -> None:
    numbers = [f"+1312555010{digit}" for digit in range(4)]
    for number in numbers:
        receive(grace, number=number)
    Conversation.objects.filter(phone=numbers[0]).update(inbox_at=NOW.replace(hour=12))
    send(grace, "An answer", numbers[1])
    expected = [numbers[0], *reversed(numbers[1:])]
    assert listed(sender, "unread=1") == listed(sender, "open=1&fields=phone") == expected
    mark_read(conversation_of(grace, numbers[3]), now=NOW)
    assert listed(sender, "unread=1") == [numbers[0], numbers[2], numbers[1]]
    assert listed(sender, "unread=0") == [numbers[3]]
    assert unread_conversations(grace) == 3
    key = encode(conversation_of(grace, numbers[2]).pk)
    sender.patch(f"{G}conversations/{key}/", {"assigned_to": "me"}, format="json")
    me = encode(Staff.objects.get(user=grace_sender).pk)
    assert listed(sender, "assigned_to=me") == listed(sender, f"assigned_to={me}") == [numbers[2]]
    page = sender.get(f"{G}conversations/?open=1&page_size=2").json()
    rest = sender.get(page["next"]).json()
    assert [row["phone"] for row in page["results"] + rest["results"]] == expected


def test_a_search_finds_people_numbers_and_words(
    sender: APIClient, grace: Church, hope: Church
) -> None:
    cast.member(grace, "Élodie", "+13125550111", last_name="Martin")
    receive(grace, "May I bring a cake?", "+13125550111")
    receive(grace, "Running late", "+13125550199")
    send(grace, "A cake for everyone", "+13125550177", batch=7)
    receive(hope, "The cake is here", "+13125550155")
    assert listed(sender, "search=elodie") == listed(sender, "search=MARTIN+el") == ["+13125550111"]
    assert listed(sender, "search=0199") == ["+13125550199"]
    assert listed(sender, "search=CAKE") == ["+13125550111"]
    assert listed(sender, "search=cake&open=1") == ["+13125550111"]
    assert listed(sender, "search=nothing") == []
    assert sender.get(f"{G}conversations/?search=x").status_code == 400


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Thanks, José!", "jose"), ("thanks jose", "JOSÉ"), ("Ask Elodie", "élodie"),
        ("Straße 5", "strasse"), ("Main Strasse", "Straße"), ("Don’t wait", "dont wait"),
        ("Encyclopædia", "encyclopaedia"), ("Пётр придёт", "петр"), ("ｔｅｎ o'clock", "ten oclock"),
        ("5 [five] chairs", "[five]"), ("100 %", "100 %"), ("日本語のテキスト", "日本語"),
    ],
)  # fmt: skip
def test_a_search_ignores_case_and_accents_in_texts(
    sender: APIClient, grace: Church, text: str, words: str
) -> None:
    receive(grace, text, "+13125550111")
    receive(grace, "Something else, 10 o'clock", "+13125550199")
    assert listed(sender, f"search={quote(words)}") == ["+13125550111"]


def test_a_search_for_invisible_words_finds_no_text(sender: APIClient, grace: Church) -> None:
    receive(grace, "Hello", "+13125550111")
    assert listed(sender, f"search={quote(chr(0x200B) * 3)}") == []


def test_a_number_is_opted_out_by_one_request(sender: APIClient, grace: Church) -> None:
    receive(grace)
    assert sender.post(f"{url(grace)}opt-out/").status_code == 200
    assert OptOut.objects.get(tenant=grace, number=PHONE).source == "staff"
    assert last_event(grace)[1]["opted_out"] is True


def test_a_text_that_only_looks_like_a_stop_loses_its_mark(
    sender: APIClient, viewer: APIClient, grace: Church
) -> None:
    message = receive(grace, "please stop texting me", asks_to_stop=True)
    path = f"{G}messages/{encode(message.pk)}/not-a-stop/"
    assert viewer.post(path).status_code == 403
    assert sender.post(path).status_code == sender.post(path).status_code == 200
    assert Message.objects.get(pk=message.pk).asks_to_stop is False
    assert sender.get(f"{G}messages/?asks_to_stop=1").json()["results"] == []
    assert last_event(grace)[0] == "conversation.updated"


def test_only_the_texts_that_were_seen_are_read(grace: Church) -> None:
    seen = receive(grace)
    receive(grace, "Later")
    assert mark_read(conversation_of(grace), now=NOW, until=seen.pk) == 1
    assert conversation_of(grace).unread_count == 1
    assert last_event(grace) == ("conversation.read", {
        "conversation": encode(conversation_of(grace).pk), "unread_count": 1,
        "read_at": "2026-11-22T09:00:00.000Z",
    })  # fmt: skip


def test_texts_received_by_an_earlier_release_are_opened(sender: APIClient, grace: Church) -> None:
    Conversation.objects.create(church=grace, phone=PHONE, unread_count=1)
    assert listed(sender, "unread=1") == []
    assert Conversation.objects.complete_inbox() == 1
    assert listed(sender, "unread=1") == listed(sender, "open=1") == [PHONE]


def test_the_colleagues_are_those_who_may_answer(
    viewer: APIClient, grace_owner: User, grace_sender: User
) -> None:
    names = [row["name"] for row in viewer.get(f"{G}colleagues/").json()]
    assert names == ["grace-owner", "grace-sender"]
    assert Staff.objects.filter(role=Role.VIEWER).exists()
