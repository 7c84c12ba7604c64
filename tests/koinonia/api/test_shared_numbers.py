"""Several members may have one number: a couple, or a mother and her child."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Message, OptOut
from delivery.opt_outs import opt_out
from koinonia.conversations import member_at
from koinonia.ids import encode
from koinonia.models import Church, Conversation, Member
from tests.support import cast

G = "/api/v1/churches/grace/"


@pytest.fixture
def tim(grace: Church, anna: Member) -> Member:
    """Has the number of Anna."""
    return cast.member(grace, "Tim", anna.phone, last_name="Lee")


def send(client: APIClient, **body: Any) -> Any:
    return client.post(G + "messages/", {"text": "Hi", **body}, format="json").json()


def conversations(client: APIClient, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{G}conversations/{query}").json()["results"]
    return found


def test_two_members_may_share_a_number(owner: APIClient, anna: Member) -> None:
    body = {"first_name": "Tim", "last_name": "Lee", "phone": anna.phone}
    assert owner.post(G + "members/", body, format="json").status_code == 201
    ben = owner.post(G + "members/", {**body, "phone": "+13125550119"}, format="json")
    changed = owner.patch(ben["Location"], {"phone": anna.phone}, format="json")
    assert (changed.status_code, changed.json()["phone"]) == (200, anna.phone)
    assert Member.objects.filter(phone=anna.phone).count() == 3


def test_their_conversation_is_listed_once_with_the_oldest_member(
    sender: APIClient, anna: Member, tim: Member
) -> None:
    send(sender, to=anna.phone)
    (listed,) = conversations(sender)
    assert listed["member"] == {"id": encode(anna.pk), "name": "Anna Lee"}
    assert conversations(sender, "?fields=member.name") == [{"member": {"name": "Anna Lee"}}]
    assert Conversation.objects.get().member == anna


def test_a_text_that_names_a_member_turns_the_conversation_to_that_member(
    sender: APIClient, grace: Church, anna: Member, tim: Member
) -> None:
    message = send(sender, member=encode(tim.pk))
    assert message["member"] == {"id": encode(tim.pk), "name": "Tim Lee"}
    assert [one["member"]["id"] for one in conversations(sender)] == [encode(tim.pk)]
    assert send(sender, to=anna.phone)["member"]["id"] == encode(tim.pk)
    assert member_at(grace, tim.phone) == tim == Conversation.objects.get().member
    tim.phone = "+13125550118"
    tim.save()
    assert [one["member"]["id"] for one in conversations(sender)] == [encode(anna.pk)]
    tim.delete()
    assert member_at(grace, anna.phone) == anna


def test_an_opt_out_of_one_is_an_opt_out_of_the_number(
    sender: APIClient, grace: Church, anna: Member, tim: Member
) -> None:
    opt_out(grace.pk, anna.phone, OptOut.Source.KEYWORD, now=timezone.now())
    listed = sender.get(f"{G}members/").json()["results"]
    assert [member["opted_out"] for member in listed] == [True, True]


def test_a_broadcast_texts_the_number_once_by_the_oldest_name(
    sender: APIClient, anna: Member, tim: Member, ben: Member
) -> None:
    body = {"text": "Dear {first_name}", "audience": {"all": True}}
    made = sender.post(G + "broadcasts/", body, format="json").json()
    assert (made["total"], made["counts"]) == (2, {"queued": 2})
    assert set(Message.objects.values_list("text", flat=True)) == {"Dear Anna", "Dear Ben"}
