"""The demo churches."""

from __future__ import annotations

from io import StringIO

from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from koinonia.models import Church, Member, Staff
from realtime.models import Event


def test_seeding_again_changes_nothing(db: None) -> None:
    for _ in range(2):
        call_command("seed_demo", password="a password for all", stdout=StringIO())
        assert [church.members.count() for church in Church.objects.all()] == [300, 300]
        assert [church.groups.count() for church in Church.objects.all()] == [4, 4]
        assert Staff.objects.count() == 4


def test_a_new_console_shows_unanswered_texts(db: None, client: Client) -> None:
    call_command("seed_demo", password="a password for all", stdout=StringIO())
    client.force_login(User.objects.get(username="grace-viewer"))
    listed = client.get("/api/v1/churches/grace/conversations/").json()["results"]
    assert [item["unread_count"] for item in listed] == [1, 2, 1, 1]
    assert all(item["member"] and item["last_message"]["text"] for item in listed)
    told = Event.objects.filter(stream__key="church:grace").values_list("type", flat=True)
    assert list(told) == ["message.received"] * 5


def test_a_search_finds_demo_members_without_accents(db: None) -> None:
    call_command("seed_demo", password="a password for all", stdout=StringIO())
    assert Member.objects.filter(search_key__contains="olafur").count() == 30
