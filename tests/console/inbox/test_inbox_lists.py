"""The list of conversations, by Django's client: who waits, searches, pages, kinds of files."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from koinonia.conversations import update_for_batch
from koinonia.models import Church
from tests.console.inbox.reading import INBOX, body, last_text
from tests.console.pages import Costs
from tests.koinonia.inbox.conftest import NOW, PHONE, receive, send
from tests.support import cast

pytestmark = pytest.mark.django_db

Unread = Callable[..., str]


def test_the_list_shows_who_waits_and_leads_to_the_conversation(
    viewer: Client, grace: Church, unread: Unread
) -> None:
    cast.member(grace, "Anna", PHONE, last_name="Lee")
    path = unread("May I bring a cake?")
    page = body(viewer, INBOX)
    assert f'href="{path}#end"' in page
    for words in ("Anna Lee", "May I bring a cake?", "1 unread text"):
        assert words in page
    assert "Anna Lee" not in body(viewer, f"{INBOX}?show=done")
    assert "Nothing here matches" in body(viewer, f"{INBOX}?search=zebra")
    assert "Anna Lee" in body(viewer, f"{INBOX}?search=cake&show=unread")
    assert "at least 2" in body(viewer, f"{INBOX}?search=x")


def test_an_unread_text_is_shown_though_a_broadcast_came_later(
    viewer: Client, sender: Client, grace: Church, unread: Unread, costs: Costs
) -> None:
    unread("Is there parking?")
    path = unread("And a ramp?")
    send(grace, "Dear all", batch=3)
    update_for_batch(3, now=NOW)
    assert "And a ramp?" in body(viewer, INBOX)
    assert "Dear all" not in body(viewer, INBOX)
    beside = body(viewer, path).partition('class="conversations"')[2].partition("</ul>")[0]
    assert "And a ramp?" in beside
    costs.of(viewer, INBOX)
    sender.post(f"{path}read/", {"seen": last_text(sender, path)})
    assert "Dear all" in body(viewer, INBOX)


@pytest.mark.parametrize("show", ["open", "unread", "mine", "done", "all", "bogus"])
def test_an_empty_list_says_what_to_do(viewer: Client, grace: Church, show: str) -> None:
    assert 'class="empty"' in body(viewer, f"{INBOX}?show={show}")


def test_a_conversation_opens_from_a_search(viewer: Client, unread: Unread) -> None:
    path = f"{unread('Who brings the soup?')}?show=all&search=soup"
    page = viewer.get(path).content.decode()
    assert "words of the newest 10,000 texts of the church." in page
    assert "Who brings the soup?" in page


def test_a_long_list_has_pages(sender: Client, grace: Church) -> None:
    for number in range(60):
        receive(grace, f"Text {number}.", f"+131255501{number:02}")
    shown: list[str] = []
    path: str | None = INBOX
    while path:
        page = body(sender, path)
        shown += re.findall(r"Text (\d+)\.", page)
        older = re.search(r'href="(\?[^"]*)" rel="next"', page)
        path = INBOX + older[1].replace("&amp;", "&") if older else None
    assert shown == [str(number) for number in reversed(range(60))]
