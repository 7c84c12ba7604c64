"""Sign-in, sign-out and the pages about errors."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from koinonia.models import Church
from tests.support import cast


def test_a_blank_field_is_named(client: Client, db: None) -> None:
    page = client.post("/login/", {"username": "mary", "password": ""}).content.decode()
    assert "Fill in your password." in page
    assert "Fill in your user name." not in page
    assert 'value="mary"' in page
    assert page.count('aria-invalid="true"') == 1


def test_a_wrong_password_gets_a_sentence_that_says_where_to_look(client: Client, db: None) -> None:
    # A name of its own, because guesses are counted by name.
    given = {"username": "clara", "password": "wrong"}
    page = client.post("/login/", given).content.decode()
    assert "The user name or the password is wrong." in page


def test_signing_in_leads_back_to_the_page(client: Client, grace_viewer: User) -> None:
    page = client.get("/login/?next=/churches/grace/more/").content.decode()
    assert "Then you come back to the page." in page
    given = {"username": grace_viewer.username, "password": cast.PASSWORD}
    # An address of its own, because guesses of other tests are counted by address.
    answer = client.post(
        "/login/", {**given, "next": "/churches/grace/more/"}, REMOTE_ADDR="198.51.100.7"
    )
    assert answer["Location"] == "/churches/grace/more/"


def test_signing_out_ends_on_our_own_page(client: Client, grace_owner: User) -> None:
    client.force_login(grace_owner)
    answer = client.post("/logout/", follow=True)
    assert b"You are signed out." in answer.content


def test_a_missing_page_wears_the_dress_of_the_product(client: Client, db: None) -> None:
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content
    assert b"koinonia/koinonia" in answer.content


@pytest.mark.parametrize(("part", "refresh"), [(False, None), (True, "true")])
def test_a_form_of_an_old_session_gets_a_sentence(
    grace: Church, grace_owner: User, part: bool, refresh: str | None
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(grace_owner)
    headers = {"HX-Request": "true"} if part else {}
    answer = client.post("/churches/grace/more/", {"csrfmiddlewaretoken": "old"}, headers=headers)
    assert answer.status_code == 403
    assert b"This page was open for too long" in answer.content
    assert answer.get("HX-Refresh") == refresh
