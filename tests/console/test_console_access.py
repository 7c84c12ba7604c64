from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from koinonia.models import Church


def test_a_visitor_is_redirected_to_the_login_page(client: Client, db: None) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/")


def test_staff_see_their_church(client: Client, grace_owner: User) -> None:
    client.force_login(grace_owner)
    assert b"Grace Church" in client.get("/", follow=True).content


def test_a_viewer_cannot_compose(client: Client, grace_viewer: User) -> None:
    client.force_login(grace_viewer)
    assert client.get("/churches/grace/send/").status_code == 403


@pytest.mark.parametrize("slug", ["hope", "nowhere"])
def test_a_foreign_church_looks_like_a_missing_church(
    client: Client, grace_owner: User, hope: Church, slug: str
) -> None:
    client.force_login(grace_owner)
    assert client.get(f"/churches/?church={slug}", follow=True).status_code == 404


def test_a_user_without_a_church_sees_an_explanation(client: Client, stranger: User) -> None:
    client.force_login(stranger)
    answer = client.get("/")
    assert answer.status_code == 403
    assert b"not on the staff of any church" in answer.content
