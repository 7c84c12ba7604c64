"""The stored text: visible characters, plain punctuation if the church wants it, bounded length."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia.ids import encode
from koinonia.models import Church, Conversation, Member
from tests.support import cast

G = "/api/v1/churches/grace/"
CURLY = "It’s “on” – see you…"
PLAIN = 'It\'s "on" - see you...'


def send(client: APIClient, text: str, **body: Any) -> Any:
    recipient = {} if "member" in body else {"to": "+13125550155"}
    return client.post(G + "messages/", {"text": text, **recipient, **body}, format="json")


@pytest.mark.parametrize("text", ["\u200b", " \u2060\ufeff\n", "\u3164", "\u202e\u202c", "\u00ad"])
def test_an_invisible_text_is_refused(sender: APIClient, anna: Member, text: str) -> None:
    assert send(sender, text).status_code == 400
    for path in ("broadcasts/", "broadcasts/preview/"):
        body = {"text": text, "audience": {"all": True}}
        assert sender.post(G + path, body, format="json").status_code == 400
    assert not Message.objects.exists()


def test_invisible_characters_cost_no_parts(sender: APIClient) -> None:
    message = send(sender, "\ufeff" + "a" * 159 + "\u202c\u200b!").json()
    assert (message["text"], message["parts"], message["encoding"]) == ("a" * 159 + "!", 1, "GSM-7")
    accent = send(sender, "e\u0301a").json()
    assert (accent["text"], accent["encoding"]) == ("éa", "GSM-7")


def test_a_refusal_names_the_expensive_letters_and_their_replacements(sender: APIClient) -> None:
    (told,) = send(sender, "x" * 700 + "’").json()["errors"]["text"]
    assert "11 parts" in told
    assert "’ (right single quotation mark, write ' instead)" in told


def test_a_church_may_have_plain_punctuation(owner: APIClient, grace: Church) -> None:
    assert send(owner, CURLY).json()["encoding"] == "UCS-2"
    changed = owner.patch(G, {"plain_punctuation": True}, format="json").json()
    assert "plain_punctuation" not in changed
    message = send(owner, CURLY + " Łukasz").json()
    assert message["text"] == PLAIN + " Łukasz"
    assert send(owner, CURLY).json()["encoding"] == "GSM-7"
    cast.member(grace, "O’Brien", "+13125550120")
    body = {"text": "Dear {first_name}", "audience": {"all": True}}
    owner.post(G + "broadcasts/", body, format="json")
    assert Message.objects.get(batch__isnull=False).text == "Dear O'Brien"


def test_a_text_with_media_may_have_more_than_ten_parts(sender: APIClient) -> None:
    assert send(sender, "ł" * 1600).status_code == 400
    answer = send(sender, "ł" * 1600, media_urls=["https://grace.example/choir.jpg"])
    assert (answer.status_code, answer.json()["parts"]) == (202, 1)


@pytest.mark.parametrize("sender_name", ["MYBANK", "Grace 2", "m"])
def test_an_alphanumeric_sender_cannot_be_answered(
    sender: APIClient, grace: Church, sender_name: str
) -> None:
    talk = Conversation.objects.create(church=grace, phone=sender_name)
    body = {"text": "Hello"}
    path = f"{G}conversations/{encode(talk.pk)}/messages/"
    for refused in (
        sender.post(path, body, format="json"),
        sender.post(G + "messages/", {"conversation": encode(talk.pk), **body}, format="json"),
    ):
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["conversation"])
        assert "cannot be answered" in refused.json()["detail"]
    answer = send(sender, "Hello", to=sender_name)
    assert answer.status_code == 400
    # The sentence is for every door: a body has no cells.
    assert "cell" not in answer.json()["detail"]


def inbound(church: Church, phone: str, text: str) -> Message:
    now = timezone.now()
    thread = Conversation.objects.get_or_create(church=church, phone=phone)[0]
    message = Message.objects.create(
        tenant=church, direction=Direction.INBOUND, status=Status.RECEIVED, to_number=church.phone_number,
        from_number=phone, text=text, thread=thread.pk, created_at=now, updated_at=now,
    )  # fmt: skip
    Conversation.objects.filter(pk=thread.pk).update(last_message=message)
    return message


def test_earlier_texts_belong_to_a_new_member(sender: APIClient, grace: Church) -> None:
    phone = "+13125550177"
    inbound(grace, phone, "Who is this?")
    send(sender, "Grace Church", to=phone)
    body = {"first_name": "Zoë", "last_name": "Lee", "phone": phone}
    zoe = sender.post(G + "members/", body, format="json").json()
    talk = sender.get(f"{G}conversations/").json()["results"][0]
    assert talk["member"] == talk["last_message"]["member"] == {"id": zoe["id"], "name": "Zoë Lee"}
    page = sender.get(f"{G}messages/?member={zoe['id']}").json()["results"]
    assert [message["text"] for message in page] == ["Grace Church", "Who is this?"]


def test_a_member_with_a_new_number_has_one_history(
    sender: APIClient, grace: Church, anna: Member
) -> None:
    inbound(grace, "+13125550178", "It is me, Anna, with a new number")
    send(sender, "To the old one", to=anna.phone)
    item = f"{G}members/{encode(anna.pk)}/"
    sender.patch(item, {"phone": "+13125550178"}, format="json")
    send(sender, "To the new one", member=encode(anna.pk))
    page = sender.get(f"{G}messages/?member={encode(anna.pk)}").json()["results"]
    assert len(page) == 3


def test_a_number_with_a_new_holder_takes_no_history_along(
    sender: APIClient, grace: Church, anna: Member, ben: Member
) -> None:
    send(sender, "For Anna", to=anna.phone)
    send(sender, "For Ben", to=ben.phone)
    old_of_anna, old_of_ben = anna.phone, ben.phone
    Member.objects.get(pk=anna.pk).delete()
    sender.patch(f"{G}members/{encode(ben.pk)}/", {"phone": "+13125550179"}, format="json")
    heirs = [cast.member(grace, "Cora", old_of_anna), cast.member(grace, "Dora", old_of_ben)]
    for heir in heirs:
        assert sender.get(f"{G}messages/?member={encode(heir.pk)}").json()["results"] == []
    shown = sender.get(f"{G}messages/").json()["results"]
    assert [one["member"] and one["member"]["name"] for one in shown] == ["Ben", None]


def test_imported_members_get_their_earlier_texts(sender: APIClient, grace: Church) -> None:
    inbound(grace, "+13125550177", "Hello")
    Member.objects.bulk_create([Member(church=grace, first_name="Zoë", phone="+13125550177")])
    assert Message.objects.get().recipient == Member.objects.get()
