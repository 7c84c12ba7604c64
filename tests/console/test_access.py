"""Each page and part of the console, as stranger, viewer, sender and owner of the church."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from koinonia.models import Church, Role, Staff
from tests.support import cast

PAGES = {
    # Path below the church -> the lowest role that may read it. Add a line for each page and part.
    "": Role.VIEWER,
    "more/": Role.VIEWER,
    "log/": Role.OWNER,
    "parts/unread/": Role.VIEWER,
    "parts/banner/": Role.VIEWER,
    "inbox/": Role.VIEWER,
    "send/": Role.SENDER,
    "send/parts/recipients/": Role.SENDER,
    "send/parts/preview/": Role.SENDER,
    "send/templates/": Role.VIEWER,
    "sent/": Role.VIEWER,
    "sent/texts/": Role.VIEWER,
    "sent/repeating/": Role.VIEWER,
    "members/": Role.VIEWER,
    "members/doubles/": Role.VIEWER,
    "members/new/": Role.SENDER,
    "members/import/": Role.SENDER,
    "groups/": Role.VIEWER,
    "groups/new/": Role.SENDER,
    "keywords/": Role.VIEWER,
    "keywords/new/": Role.SENDER,
    "settings/": Role.VIEWER,
    "answers/": Role.VIEWER,
    "staff/": Role.OWNER,
    "account/": Role.VIEWER,
    "account/leave/": Role.VIEWER,
}
RANK = [Role.VIEWER, Role.SENDER, Role.OWNER]


def opened(user: User, path: str, church: str = "grace", **headers: str) -> int:
    client = Client()
    client.force_login(user)
    return client.get(f"/churches/{church}/{path}", headers=headers).status_code


@pytest.mark.parametrize("path", PAGES)
def test_a_visitor_signs_in_and_comes_back(client: Client, grace: Church, path: str) -> None:
    answer = client.get(f"/churches/grace/{path}")
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"/login/?next={quote(f'/churches/grace/{path}')}",
    )


@pytest.mark.parametrize("path", PAGES)
def test_a_part_sends_a_visitor_to_the_login_page(client: Client, grace: Church, path: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/churches/grace/more/?x=1"}
    answer = client.get(f"/churches/grace/{path}", headers=headers)
    assert answer["HX-Redirect"] == "/login/?next=/churches/grace/more/%3Fx%3D1"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_the_roles_of_the_church(grace: Church, path: str) -> None:
    for role in RANK:
        expected = 200 if RANK.index(role) >= RANK.index(PAGES[path]) else 403
        user = User.objects.create_user(f"a-{role}", password=cast.PASSWORD)
        Staff.objects.create(church=grace, user=user, role=role)
        assert opened(user, path) == expected
        assert opened(user, path, **{"HX-Request": "true"}) == expected


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_and_another_office_find_nothing(
    grace: Church, stranger: User, hope_owner: User, path: str
) -> None:
    admin = User.objects.create_superuser("root", password=cast.PASSWORD)
    for user in (stranger, hope_owner, admin):
        assert opened(user, path) == 404
    assert opened(hope_owner, path, "nowhere") == 404
