"""The list of keywords in the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from koinonia.models import Church, Group, Keyword

LIST = "/admin/koinonia/keyword/"


@pytest.fixture
def desk(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def choir(grace: Church) -> Keyword:
    group = Group.objects.create(church=grace, name="Choir", welcome_text="Sing with us!")
    return Keyword.objects.create(church=grace, word="CHOIR", group=group)


def test_the_list_shows_the_keywords_of_each_church_with_their_answers(
    desk: Client, hope: Church, choir: Keyword
) -> None:
    youth = Group.objects.create(church=hope, name="Youth")
    Keyword.objects.create(church=hope, word="YOUTH", group=youth, answer="See you on Friday")
    page = desk.get(LIST).content.decode()
    for words in ("CHOIR", "Grace Church", "Sing with us!", "YOUTH", "Hope Church", "See you on"):
        assert words in page
    of_grace = desk.get(f"{LIST}?church__id__exact={choir.church_id}").content.decode()
    assert "See you on" not in of_grace
    assert "YOUTH" not in desk.get(f"{LIST}?q=choir").content.decode()


def test_a_keyword_can_be_read_and_not_changed(desk: Client, choir: Keyword) -> None:
    path = f"{LIST}{choir.pk}/change/"
    page = desk.get(path).content.decode()
    assert "Sing with us!" in page
    assert 'name="_save"' not in page
    assert desk.post(path, {"word": "OTHER"}).status_code == 403
    assert desk.get(f"{LIST}add/").status_code == 403
