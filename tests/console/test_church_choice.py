"""The choice of the church in the console: the last one opens, and equal names are distinguished."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from koinonia.models import Church, Role, Staff
from tests.support import cast


@pytest.fixture
def both(grace: Church, hope: Church) -> User:
    user = cast.staff(grace, Role.SENDER)
    Staff.objects.create(church=hope, user=user, role=Role.VIEWER)
    return user


def shown(client: Client, query: str = "") -> str:
    page = client.get(f"/churches/{query}" if query else "/", follow=True).content.decode()
    return page.partition('data-church="')[2].partition('"')[0]


def test_the_last_opened_church_is_the_default(both: User) -> None:
    home, phone = Client(), Client()
    for client in (home, phone):
        client.force_login(both)
    assert shown(home) == "grace"
    assert shown(home, "?church=hope") == "hope"
    assert [shown(home), shown(phone)] == ["hope", "hope"]


def test_a_church_that_the_user_has_left_is_not_the_default(both: User, hope: Church) -> None:
    client = Client()
    client.force_login(both)
    assert shown(client, "?church=hope") == "hope"
    Staff.objects.filter(church=hope).delete()
    assert shown(client) == "grace"


@pytest.mark.parametrize("name", ["Grace Church", "grace  church", "ＧＲＡＣＥ Church\u200b"])
def test_churches_with_the_same_name_show_their_slugs(both: User, hope: Church, name: str) -> None:
    client = Client()
    client.force_login(both)
    assert "(hope)" not in client.get("/", follow=True).content.decode()
    Church.objects.filter(pk=hope.pk).update(name=name)
    page = client.get("/", follow=True).content.decode()
    assert "Grace Church (grace)" in page
    assert f"{name} (hope)" in page


def test_the_console_links_to_open_invitations(both: User, client: Client) -> None:
    client.force_login(both)
    more = "/churches/grace/more/"
    assert b'href="/invitations/"' not in client.get(more).content
    third = cast.church("third", "+13125550300")
    owner = cast.staff(third, Role.OWNER)
    office = Client()
    office.force_login(owner)
    body = {"username": both.username, "role": "viewer"}
    path = "/api/v1/churches/third/invitations/"
    assert office.post(path, body, content_type="application/json").status_code == 201
    assert b'href="/invitations/"' in client.get(more).content
    assert b"Third Church" in client.get("/invitations/").content
