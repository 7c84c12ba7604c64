"""A person without a name is called by the number, as people of the church's country write it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery.models import Message
from delivery.statuses import Status
from koinonia.answers.membership import join
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import send_broadcast
from koinonia.console.send.recipients import of_member
from koinonia.conversations import conversation_with
from koinonia.ids import encode
from koinonia.models import Church, Conversation, Group, InboxState, Member
from koinonia.texts.placeholders import render
from koinonia.texts.send import send_text
from tests.console.members.test_import import upload
from tests.console.page_roles import PAGES
from tests.console.visible import visible_words
from tests.support import cast

RAW = re.compile(r"\+\d{7,15}")
JOINED, NAMELESS, STRANGER = "+13125550131", "+13125550132", "+13125550133"
EVERYONE = Audience(everyone=True, as_sent={"all": True})


@pytest.fixture
def joined(grace: Church, grace_owner: User) -> Member:
    """Create three people without a name, who are on every page."""
    choir = Group.objects.create(church=grace, name="Choir")
    member, _ = join(choir, grace, JOINED)
    nameless = cast.member(grace, "", NAMELESS)
    nameless.groups.add(choir)
    cast.member(grace, "", JOINED)
    now = timezone.now()
    for number in (JOINED, NAMELESS, STRANGER):
        Message.objects.create(
            tenant=grace, direction="inbound", status=Status.RECEIVED, to_number=grace.phone_number,
            from_number=number, text="Yes", thread=conversation_with(grace, number, now=now).pk,
            created_at=now, updated_at=now,
        )  # fmt: skip
        send_text(grace, "Hello", to=number, author=grace_owner, now=now)
        tomorrow = now + timedelta(days=1)
        send_text(grace, "Hello", to=number, author=grace_owner, now=now, send_at=tomorrow)
    send_broadcast(grace, "To all", EVERYONE, author=grace_owner, now=now)
    Conversation.objects.update(state=InboxState.OPEN, inbox_at=now, unread_count=1)
    return member


def paths(church: Church, joined: Member) -> list[str]:
    key = encode(joined.pk)
    others = [encode(one.pk) for one in Member.objects.exclude(pk=joined.pk).order_by("pk")]
    choir = encode(Group.objects.get().pk)
    texts = Message.objects.filter(direction="outbound")
    return [
        *PAGES,
        *(f"members/{one}/{page}" for one in (key, *others) for page in ("", "edit/", "delete/")),
        f"members/{key}/merge/{others[0]}/",
        "members/?search=312",
        f"groups/{choir}/",
        f"groups/{choir}/?find=0133",
        f"send/?member={key}",
        "send/parts/recipients/?find=0131&kind=to",
        *(f"inbox/{encode(one.pk)}/" for one in Conversation.objects.all()),
        *(f"sent/texts/{encode(one.pk)}/" for one in texts),
        *(f"sent/texts/{encode(one.pk)}/edit/" for one in texts.filter(status="scheduled")),
        f"sent/broadcasts/{encode(texts.exclude(batch=None)[0].batch or 0)}/?show=way",
    ]


def test_no_page_shows_the_number_of_a_person_in_the_form_of_programs(
    owner: Client, grace: Church, joined: Member
) -> None:
    opened, raw = 0, {}
    for path in paths(grace, joined):
        answer = owner.get(f"/churches/grace/{path}")
        if answer.status_code == 404:
            raise AssertionError(path)
        opened += answer.status_code == 200
        if found := [
            words for words in visible_words(answer.content.decode()) if RAW.search(words)
        ]:
            raw[path] = found
    assert raw == {}
    assert opened > 40


@pytest.mark.parametrize("text", ["Hello", "í" * 100])
def test_no_preview_shows_the_number_in_the_form_of_programs(
    owner: Client, grace: Church, joined: Member, text: str
) -> None:
    everybody = [f"m:{encode(one.pk)}" for one in Member.objects.all()]
    for who in (everybody, [f"n:{STRANGER}"]):
        form = {"who": who, "text": text}
        page = owner.post("/churches/grace/send/parts/preview/", form).content.decode()
        shown = visible_words(page)
        assert any("(312) 555-013" in words for words in shown), shown
        assert [words for words in shown if RAW.search(words)] == []


@pytest.mark.parametrize("number", [JOINED, NAMELESS, STRANGER])
def test_a_notice_about_a_text_asks_how_the_caller_is_called(
    viewer: Client, grace: Church, joined: Member, number: str
) -> None:
    thread = Conversation.objects.get(phone=number)
    answer = viewer.get(f"/churches/grace/inbox/{encode(thread.pk)}/caller/")
    assert answer.content.decode() == f"(312) 555-{number[-4:]}"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


def test_a_stranger_does_not_learn_who_calls(
    other_office: Client, grace: Church, joined: Member
) -> None:
    thread = Conversation.objects.get(phone=JOINED)
    for church in ("grace", "hope"):
        answer = other_office.get(f"/churches/{church}/inbox/{encode(thread.pk)}/caller/")
        assert answer.status_code == 404


def test_the_name_of_a_caller_is_plain_text(viewer: Client, grace: Church) -> None:
    cast.member(grace, "<b>Ann</b>", JOINED)
    thread = conversation_with(grace, JOINED, now=timezone.now())
    answer = viewer.get(f"/churches/grace/inbox/{encode(thread.pk)}/caller/")
    assert answer.content == b"<b>Ann</b>"


def test_the_form_of_a_person_who_joined_has_an_empty_last_name(
    sender: Client, grace: Church, joined: Member
) -> None:
    path = f"/churches/grace/members/{encode(joined.pk)}/edit/"
    page = sender.get(path).context
    form = page["form"]
    assert form["last_name"].value() == ""
    assert form["phone"].value() == "(312) 555-0131"
    given: dict[str, Any] = {"version": page["version"], "first_name": "Ruth", "last_name": ""}
    sender.post(path, {**given, "phone": "(312) 555-0131"})
    joined.refresh_from_db()
    assert (joined.first_name, joined.last_name, joined.phone) == ("Ruth", "", JOINED)


def test_a_text_leaves_out_the_number_in_place_of_a_last_name(
    grace: Church, joined: Member
) -> None:
    assert render("Hello {first_name} {last_name}, see you", joined, grace) == "Hello, see you"


def test_a_person_with_a_foreign_number_is_called_by_the_whole_number(grace: Church) -> None:
    assert of_member(grace, cast.member(grace, "", "+33612345678")).label == "+33 6 12 34 56 78"


def test_a_merge_keeps_the_name_of_the_one_who_has_one(
    sender: Client, grace: Church, joined: Member
) -> None:
    ruth = cast.member(grace, "Ruth", "+13125550139", last_name="Moab")
    path = f"/churches/grace/members/{encode(joined.pk)}/merge/{encode(ruth.pk)}/"
    rows = {row["name"]: row["values"] for row in sender.get(path).context["rows"]}
    chosen = {name: [value for _, value, is_chosen in rows[name] if is_chosen] for name in rows}
    assert chosen == {"first_name": ["Ruth"], "last_name": ["Moab"], "phone": [JOINED]}


def test_the_preview_of_an_import_names_a_person_who_joined_as_the_import_will(
    sender: Client, grace: Church
) -> None:
    joined, _ = join(Group.objects.create(church=grace, name="Choir"), grace, JOINED)
    path = upload(sender, f"first_name,phone\nRuth,{JOINED}\n")
    [shown] = sender.get(path).context["found"].people
    assert (shown.name, shown.before, shown.state) == ("Ruth", "", "changed")
    sender.post(path + "start/", {"agreed": "1"})
    joined.refresh_from_db()
    assert (joined.first_name, joined.last_name) == ("Ruth", "")
