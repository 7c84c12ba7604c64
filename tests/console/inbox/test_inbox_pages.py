"""The pages of the inbox, by Django's client: conversation, reply, decisions, notes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery.models import Message, OptOut
from koinonia.console.inbox.rows import Row
from koinonia.ids import encode
from koinonia.models import AuditEntry, Church, Conversation, Note, Staff
from tests.console.inbox.reading import INBOX, body, last_text
from tests.console.pages import Costs
from tests.koinonia.inbox.conftest import PHONE, receive, send
from tests.support import cast

pytestmark = pytest.mark.django_db

Unread = Callable[..., str]


def conversation() -> Conversation:
    return Conversation.objects.get(phone=PHONE)


def reply(client: Client, path: str, text: str, **more: str) -> Any:
    seen = more.pop("seen", None) or last_text(client, path)
    return client.post(f"{path}reply/", {"text": text, "seen": seen, **more})


def outbound() -> list[str]:
    return list(
        Message.objects.filter(direction="outbound").order_by("pk").values_list("text", flat=True)
    )


def test_a_conversation_shows_its_texts_in_their_order(
    viewer: Client, grace: Church, unread: Unread
) -> None:
    send(grace, "Choir at 7?")
    send(grace, "Dear all <b>", batch=3)
    path = unread("Liked “Choir at 7?”")
    unread("See https://example.org/map", media_urls=["https://media.example.org/cake.jpg"])
    page = body(viewer, path)
    assert page.index("Choir at 7?") < page.index("Dear all &lt;b&gt;") < page.index("See <a")
    assert "<span>👍</span>" in page
    assert "Liked" not in page.split('id="texts"')[1]
    assert 'src="https://media.example.org/cake.jpg"' in page
    assert "Broadcast" in page
    assert page.count('<p class="meta quiet">') == 3, (
        "One line for each text, and one for the tapback."
    )
    assert "https:" in viewer.get(path)["Content-Security-Policy"].partition("img-src")[2]


def test_a_shared_number_names_each_person_who_has_it(
    sender: Client, grace: Church, unread: Unread
) -> None:
    cast.member(grace, "Anna", PHONE)
    path = unread("We are coming")
    assert "Also at this number" not in body(sender, path)
    ben = cast.member(grace, "Ben", PHONE)
    page = body(sender, path)
    assert "Anna" in page.split("<h1>")[1].split("</h1>")[0]
    assert f'Also at this number: <a href="/churches/grace/members/{encode(ben.pk)}/">' in page


def test_reading_changes_nothing_and_a_viewer_cannot_mark_read(
    viewer: Client, sender: Client, unread: Unread
) -> None:
    path = unread()
    seen = last_text(sender, path)
    body(viewer, path)
    assert conversation().unread_count == 1
    assert viewer.post(f"{path}read/", {"seen": seen}).status_code == 403
    unread("A text that the page has not shown")
    quiet = sender.post(f"{path}read/", {"seen": seen, "quietly": "yes"})
    assert (quiet.status_code, conversation().unread_count) == (204, 1)


def test_a_viewer_has_no_reply_box_and_no_buttons(viewer: Client, unread: Unread) -> None:
    path = unread()
    page = body(viewer, path)
    assert "You are a viewer" in page
    assert page.count('<form method="post"') == 1  # Sign out.
    for part in ("reply/", "assign/", "done/", "opt-out/", "notes/"):
        assert viewer.post(path + part, {"text": "x"}).status_code == 403


def test_a_reply_is_sent_and_marks_as_read(sender: Client, grace: Church, unread: Unread) -> None:
    path = unread()
    answer = reply(sender, path, "Welcome!")
    assert (answer.status_code, answer["Location"]) == (302, f"{path}#end")
    assert outbound() == ["Welcome!"]
    page = body(sender, path)
    assert f'data-accepted="reply-{path.split("/")[-2]}"' in page
    assert conversation().unread_count == 0
    assert AuditEntry.objects.get(church=grace).action == "message.sent"


def test_a_reply_may_end_the_conversation(sender: Client, unread: Unread) -> None:
    path = unread()
    answer = reply(sender, path, "Welcome!", then="done")
    assert (answer["Location"], conversation().state) == (INBOX, "done")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "Write a text first."), ("x" * 1601, "1600"), ("Hi {nickname}", "nickname")],
)
def test_a_refused_reply_keeps_what_was_typed(
    sender: Client, unread: Unread, text: str, sentence: str
) -> None:
    answer = reply(sender, unread(), text)
    page = answer.content.decode()
    assert (answer.status_code, outbound()) == (422, [])
    assert sentence in page
    assert text in page
    assert 'aria-invalid="true"' in page


def test_a_second_click_sends_nothing(sender: Client, unread: Unread) -> None:
    path = unread()
    seen = last_text(sender, path)
    for _ in range(2):
        assert reply(sender, path, "Welcome!", seen=seen).status_code == 302
    assert outbound() == ["Welcome!"]


def test_a_colleague_who_answered_meanwhile_is_named(
    sender: Client, owner: Client, unread: Unread
) -> None:
    path = unread()
    seen = last_text(sender, path)
    reply(owner, path, "Yes, at 7")
    refused = reply(sender, path, "No idea", seen=seen)
    page = refused.content.decode()
    assert (refused.status_code, outbound()) == (422, ["Yes, at 7"])
    assert "grace-owner has answered meanwhile" in page
    assert "No idea" in page
    assert reply(sender, path, "No idea").status_code == 302


def test_a_broadcast_in_between_is_no_answer(sender: Client, grace: Church, unread: Unread) -> None:
    path = unread()
    seen = last_text(sender, path)
    send(grace, "Dear all", batch=3)
    assert reply(sender, path, "Welcome!", seen=seen).status_code == 302


@pytest.mark.parametrize("source", ["keyword", "provider", "staff", "file"])
def test_nobody_can_answer_a_number_that_opted_out(
    sender: Client, grace: Church, unread: Unread, source: str
) -> None:
    path = unread()
    seen = last_text(sender, path)
    OptOut.objects.create(tenant=grace, number=PHONE, source=source, created_at=timezone.now())
    page = body(sender, path)
    assert "Only a START from this number" in page
    assert "reply-text" not in page
    reply(sender, path, "Hello", seen=seen)
    assert set(Message.objects.filter(text="Hello").values_list("status", flat=True)) <= {
        "suppressed"
    }


def test_a_sender_without_a_number_cannot_be_answered(sender: Client, unread: Unread) -> None:
    assert "cannot be answered" in body(sender, unread(number="MYBANK"))


def test_a_conversation_is_taken_and_given_to_a_colleague(
    sender: Client, owner: Client, grace_owner: User, grace_viewer: User, unread: Unread
) -> None:
    path = unread()
    assert sender.post(f"{path}assign/", {"to": "me"}).status_code == 302
    assert "You answer" in body(sender, path)
    assert "grace-sender answers" in body(owner, path)
    assert path in body(sender, f"{INBOX}?show=mine")
    colleague = Staff.objects.get(user=grace_owner)
    sender.post(f"{path}assign/", {"to": encode(colleague.pk)})
    assert conversation().assigned_to == colleague
    sender.post(f"{path}assign/", {"to": encode(Staff.objects.get(user=grace_viewer).pk)})
    assert "A viewer cannot answer texts" in body(sender, path)
    sender.post(f"{path}assign/", {"to": ""})
    assert conversation().assigned_to is None


def test_a_conversation_is_done_unless_a_text_was_not_seen(sender: Client, unread: Unread) -> None:
    path = unread()
    seen = last_text(sender, path)
    unread("One more thing")
    sender.post(f"{path}done/?show=unread", {"done": "yes", "seen": seen})
    assert conversation().state == "open"
    assert "A new text has arrived" in body(sender, path)
    seen = last_text(sender, path)
    answer = sender.post(f"{path}done/?show=unread", {"done": "yes", "seen": seen})
    assert (answer["Location"], conversation().state) == (f"{INBOX}?show=unread", "done")
    sender.post(f"{path}done/", {"done": "no"})
    assert conversation().state == "open"


def test_a_number_that_is_opted_out_is_not_asked_about_again(
    sender: Client, grace: Church, unread: Unread
) -> None:
    path = unread("please stop texting me", asks_to_stop=True)
    sender.post(f"{path}opt-out/")
    page = body(sender, path)
    assert "has opted this number out" in page
    assert "looks like a request to stop" not in page
    assert "Opt this number out" not in page


@pytest.mark.parametrize(
    ("first_name", "last_name", "initials"),
    [
        ("Anna", "Lee", "AL"),
        ("John & Mary", "de la Cruz", "JC"),
        ("Ørsted", "", "Ø"),
        ("", "", "#"),
    ],
)
def test_a_line_of_the_list_shows_the_initials_of_the_person(
    grace: Church, grace_viewer: User, unread: Unread,
    first_name: str, last_name: str, initials: str,
) -> None:  # fmt: skip
    cast.member(grace, first_name, PHONE, last_name=last_name)
    unread("Hello")
    assert Row(conversation(), Staff.objects.get(user=grace_viewer)).initials == initials


def test_a_text_that_looks_like_a_stop_is_decided_by_one_click(
    sender: Client, grace: Church, unread: Unread
) -> None:
    path = unread("please stop texting me", asks_to_stop=True)
    page = body(sender, path)
    assert "looks like a request to stop" in page
    decision = re.search(r'action="([^"]*not-a-stop/)', page)
    assert decision is not None
    sender.post(decision[1])
    assert "looks like a request to stop" not in body(sender, path)
    sender.post(f"{path}opt-out/")
    assert OptOut.objects.get(tenant=grace).number == PHONE
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "opt_out.unheard", "opt_out.added"
    }  # fmt: skip


def test_a_note_is_added_read_by_colleagues_and_deleted_by_its_author(
    sender: Client, owner: Client, viewer: Client, unread: Unread
) -> None:
    path = unread()
    sender.post(f"{path}notes/", {"text": "Calls back on Monday"})
    assert all("Calls back on Monday" in body(each, path) for each in (sender, owner, viewer))
    delete = re.search(r'href="([^"]*/delete/)', body(sender, path))
    assert delete is not None
    assert "/delete/?" not in body(owner, path)
    assert "Calls back on Monday" in body(sender, delete[1])
    assert owner.post(delete[1]).status_code == 404
    assert sender.post(delete[1]).status_code == 302
    assert not Note.objects.exists()
    refused = sender.post(f"{path}notes/", {"text": "x" * 2001})
    assert (refused.status_code, "2000" in refused.content.decode()) == (422, True)


def test_old_texts_are_shown_by_sections(sender: Client, grace: Church) -> None:
    now = timezone.now()
    first = receive(grace, "The first one")
    Message.objects.bulk_create(
        Message(
            tenant=grace, to_number=PHONE, from_number="+13125550100", status="delivered",
            text=f"Number {number}", thread=first.thread, created_at=now, updated_at=now,
        )
        for number in range(10_000)
    )  # fmt: skip
    path = f"{INBOX}{encode(first.thread or 0)}/"
    page = body(sender, path)
    assert "Number 9999" in page
    assert "Number 9970" in page
    assert "Number 9969<" not in page
    older = re.search(r'href="(\?before=[^"#]*)', page)
    assert older is not None
    part = body(sender, path + older[1], part=True)
    assert "Number 9969" in part
    assert "Number 9970" not in part
    assert "<html" not in part
    assert "Show the newest texts" in body(sender, path + older[1])
    fresh = re.search(r'hx-get="[^"]*(\?from=[^"&]*)', page)
    assert fresh is not None
    receive(grace, "And one more")
    part = body(sender, path + fresh[1], part=True)
    assert "And one more" in part
    assert "Number 9970" in part
    assert "Number 9969" not in part


def test_two_offices_do_not_see_each_other(
    sender: Client, other_office: Client, hope: Church, unread: Unread
) -> None:
    path = unread("please stop", asks_to_stop=True)
    sender.post(f"{path}notes/", {"text": "Private"})
    text = encode(Message.objects.latest("pk").pk)
    note = encode(Note.objects.get().pk)
    for part in ("", "reply/", "read/", "assign/", "done/", "opt-out/", "notes/",
                 f"notes/{note}/delete/", f"texts/{text}/not-a-stop/"):  # fmt: skip
        for church in ("grace", "hope"):
            place = path.replace("grace", church) + part
            answer = other_office.post(place, {"text": "x"}) if part else other_office.get(place)
            assert answer.status_code == 404, place
    assert Note.objects.exists()
    assert not OptOut.objects.exists()


def test_the_pages_cost_few_queries(
    sender: Client, grace: Church, unread: Unread, costs: Costs
) -> None:
    for number in range(12):
        cast.member(grace, "Anna", f"+131255502{number:02}")
        path = unread(f"Text {number}", number=f"+131255502{number:02}")
    sender.post(f"{path}notes/", {"text": "A note"})
    sender.post(f"{path}assign/", {"to": "me"})
    costs.of(sender, INBOX)
    costs.of(sender, f"{INBOX}?search=anna")
    costs.of(sender, path)
