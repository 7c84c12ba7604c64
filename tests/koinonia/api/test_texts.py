"""Messages, broadcasts and conversations in the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Direction, Message, OptOut
from delivery.opt_outs import opt_out
from delivery.statuses import Status
from koinonia.ids import encode
from koinonia.models import Church, Conversation, Group, Member
from tests.support import cast

G = "/api/v1/churches/grace/"
SHAPE = [
    "id", "direction", "status", "to", "from", "text", "media_urls", "encoding", "parts", "member",
    "conversation", "broadcast", "author", "attempts", "error", "created_at", "scheduled_at",
    "expires_at", "sent_at", "delivered_at", "read_at", "updated_at",
]  # fmt: skip


def send(client: APIClient, **body: Any) -> Any:
    return client.post(G + "messages/", {"text": "Hi", **body}, format="json")


def inbound(church: Church, phone: str, text: str = "Hello") -> Message:
    now = timezone.now()
    thread = Conversation.objects.create(church=church, phone=phone, unread_count=1)
    return Message.objects.create(
        tenant=church, direction=Direction.INBOUND, status=Status.RECEIVED, to_number=church.phone_number,
        from_number=phone, text=text, thread=thread.pk, created_at=now, updated_at=now,
    )  # fmt: skip


def test_a_text_to_a_member_has_the_shape_of_the_contract(sender: APIClient, anna: Member) -> None:
    answer = send(sender, member=encode(anna.pk))
    assert (answer.status_code, list(answer.json())) == (202, SHAPE)
    message = answer.json()
    assert message["member"] == {"id": encode(anna.pk), "name": "Anna Lee"}
    assert message["created_at"].endswith("Z")
    assert "." not in message["created_at"]
    assert sender.get(answer["Location"]).json() == message


def test_a_national_number_finds_its_member(sender: APIClient, anna: Member) -> None:
    message = send(sender, to="(312) 555-0111").json()
    assert (message["to"], message["member"]["id"]) == (anna.phone, encode(anna.pk))


def test_an_opted_out_number_is_not_texted(sender: APIClient, grace: Church, anna: Member) -> None:
    opt_out(grace.pk, anna.phone, OptOut.Source.KEYWORD, now=timezone.now())
    assert send(sender, to=anna.phone).json()["status"] == "suppressed"


def test_a_scheduled_text_can_be_cancelled(sender: APIClient) -> None:
    later = (timezone.now() + timedelta(hours=2)).isoformat()
    message = send(sender, to="+13125550155", send_at=later).json()
    assert message["status"] == "scheduled"
    cancelled = sender.post(f"{G}messages/{message['id']}/cancel/")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")


def test_a_sent_text_cannot_be_cancelled(sender: APIClient) -> None:
    message = send(sender, to="+13125550155").json()
    Message.objects.update(status=Status.DELIVERED)
    assert sender.post(f"{G}messages/{message['id']}/cancel/").status_code == 409


def test_the_list_is_filtered(sender: APIClient, grace: Church, anna: Member) -> None:
    out = send(sender, member=encode(anna.pk)).json()["id"]
    came = encode(inbound(grace, "+13125550166").pk)
    now = timezone.now()
    asked = {
        "direction=inbound": [came],
        "status=queued": [out],
        f"member={encode(anna.pk)}": [out],
        f"since={(now + timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}": [],
        f"until={(now + timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}": [came, out],
        "colour=red": [came, out],
    }
    for query, expected in asked.items():
        page = sender.get(f"{G}messages/?{query}").json()
        assert [message["id"] for message in page["results"]] == expected, query


def test_a_broadcast_uses_the_name_of_each_member(
    sender: APIClient, grace: Church, anna: Member, ben: Member
) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    choir.members.add(anna, ben)
    audience = {"groups": [encode(choir.pk)], "members": [encode(anna.pk)]}
    body = {"text": "Dear {first_name} {last_name}, {church}", "audience": audience}
    answer = sender.post(G + "broadcasts/", body, format="json")
    made = answer.json()
    assert (answer.status_code, made["total"], made["counts"]) == (202, 2, {"queued": 2})
    assert (made["status"], made["audience"]) == ("sending", audience)
    texts = set(Message.objects.values_list("text", flat=True))
    assert texts == {"Dear Anna Lee, Grace Church", "Dear Ben, Grace Church"}
    found = sender.get(f"{G}messages/?broadcast={made['id']}").json()["results"]
    assert {message["broadcast"] for message in found} == {made["id"]}


def test_a_broadcast_is_done_when_no_text_is_left_to_send(
    sender: APIClient, anna: Member, ben: Member
) -> None:
    body = {"text": "Hi", "audience": {"all": True}}
    made = sender.post(G + "broadcasts/", body, format="json").json()
    Message.objects.update(status=Status.DELIVERED)
    shown = sender.get(f"{G}broadcasts/{made['id']}/").json()
    assert (shown["status"], shown["counts"]) == ("done", {"delivered": 2})
    assert sender.post(f"{G}broadcasts/{made['id']}/cancel/").status_code == 409


def test_a_scheduled_broadcast_is_cancelled_as_a_whole(sender: APIClient, anna: Member) -> None:
    later = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"text": "Hi", "audience": {"all": True}, "send_at": later}
    made = sender.post(G + "broadcasts/", body, format="json").json()
    assert made["status"] == "scheduled"
    cancelled = sender.post(f"{G}broadcasts/{made['id']}/cancel/").json()
    assert (cancelled["status"], cancelled["counts"]) == ("cancelled", {"cancelled": 1})


def test_braces_in_a_name_are_not_placeholders(sender: APIClient, grace: Church) -> None:
    cast.member(grace, "{church}", "+13125550133")
    body = {"text": "Hi {first_name}", "audience": {"all": True}}
    assert sender.post(G + "broadcasts/", body, format="json").status_code == 202
    assert Message.objects.get().text == "Hi {church}"


def test_a_conversation_is_answered_and_read(
    sender: APIClient, grace: Church, anna: Member
) -> None:
    message = inbound(grace, anna.phone)
    thread = encode(message.thread or 0)
    listed = sender.get(G + "conversations/").json()["results"][0]
    assert (listed["phone"], listed["member"]["name"]) == (anna.phone, "Anna Lee")
    assert listed["unread_count"] == 1
    answer = sender.post(f"{G}conversations/{thread}/messages/", {"text": "Welcome"}, format="json")
    assert (answer.status_code, answer.json()["to"]) == (202, anna.phone)
    read = sender.post(f"{G}conversations/{thread}/read/")
    assert (read.status_code, read.json()["unread_count"]) == (200, 0)
    message.refresh_from_db()
    assert message.read_at is not None
    page = sender.get(f"{G}conversations/{thread}/messages/").json()["results"]
    assert [text["text"] for text in page] == ["Welcome", "Hello"]


@pytest.mark.parametrize(
    "path", ["members/", "messages/", "broadcasts/", "conversations/", "groups/"]
)
def test_a_longer_page_costs_no_more_queries(
    sender: APIClient, grace: Church, path: str, django_assert_max_num_queries: Any
) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    for number in range(6):
        cast.member(grace, "M", f"+1312555017{number}").groups.add(choir)
        Group.objects.create(church=grace, name=f"Group {number}")
        body = {"text": "Hi", "audience": {"all": True}}
        sender.post(G + "broadcasts/", body, format="json")
    with django_assert_max_num_queries(8):
        page = sender.get(f"{G}{path}?page_size=200").json()
    assert len(page["results"]) >= 6


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pages_hold_each_conversation_once_if_all_changed_at_the_same_time(
    sender: APIClient, grace: Church, size: int
) -> None:
    now = timezone.now()
    made = [
        Conversation(church=grace, phone=f"+131255502{n:02}", updated_at=now) for n in range(11)
    ]
    Conversation.objects.bulk_create(made)
    forward: list[list[str]] = []
    url: str | None = f"{G}conversations/?page_size={size}&colour=red"
    last: dict[str, Any] = {}
    while url:
        last = sender.get(url).json()
        forward.append([item["id"] for item in last["results"]])
        url = last["next"]
        assert "colour" not in str(url)
    assert [id_ for page in forward for id_ in page] == [encode(item.pk) for item in reversed(made)]
    backward, url = [forward[-1]], last["previous"]
    while url:
        page = sender.get(url).json()
        backward.append([item["id"] for item in page["results"]])
        url = page["previous"]
    assert [set(page) for page in backward][::-1] == [set(page) for page in forward]


def test_the_api_is_readable_in_a_browser(client: Client, grace_viewer: Any, anna: Member) -> None:
    client.force_login(grace_viewer)
    page = client.get(G + "members/", headers={"Accept": "text/html"})
    assert (page.status_code, b"Anna" in page.content) == (200, True)
    assert b"<script>" not in page.content


@pytest.mark.parametrize("path", ["", "delivery/", "groups/", "dead-letters/", "conversations/"])
def test_every_report_is_a_page_too(client: Client, grace_owner: Any, path: str) -> None:
    client.force_login(grace_owner)
    assert client.get(G + path, headers={"Accept": "text/html"}).status_code == 200


def test_a_refusal_is_a_page_too(client: Client, grace_viewer: Any) -> None:
    client.force_login(grace_viewer)
    for path in ("/api/v1/churches/none/", "/api/v1/nowhere/", G + "members/zzz/"):
        page = client.get(path, headers={"Accept": "text/html"})
        assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8"), path
        assert b"Not Found" in page.content
