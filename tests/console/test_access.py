"""Visitors, strangers, colleagues of another church and each role ask every route of the console."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from koinonia.accounts import urls as account_urls
from koinonia.console import urls
from koinonia.models import Church, Role, Staff
from tests.console.one_of_each import things_of, things_of_user
from tests.console.page_roles import PAGES
from tests.console.route_roles import NOBODY, OF_NO_CHURCH, ROUTES, Access
from tests.support import cast

# The roles are judged in Python, before anything is read from the database.
pytestmark = pytest.mark.any_database
RANK = [Role.VIEWER, Role.SENDER, Role.OWNER]
# A form without its fields is refused with 422 or with a notice.
TAKEN = {200, 204, 302, 409, 412, 422}


def names(patterns: list[Any]) -> Iterator[str]:
    """Yield the names of all routes."""
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from names(one.url_patterns)
        elif isinstance(one, URLPattern) and one.name:
            yield one.name


class Caller:
    """A user asks the routes. Each change is rolled back."""

    def __init__(self, user: User | None) -> None:
        self._client = Client()
        if user:
            self._client.force_login(user)
        self._session = self._client.session.session_key if user else ""

    def ask(self, method: str, path: str, body: dict[str, str], **headers: str) -> Any:
        if self._session:
            self._client.cookies[settings.SESSION_COOKIE_NAME] = self._session
        with transaction.atomic():
            answer = getattr(self._client, method)(path, body or None, headers=headers)
            transaction.set_rollback(True)
        return answer


def word(value: str, things: dict[str, str]) -> str:
    return value[1:] if value.startswith("=") else things[value]


def path_of(name: str, access: Access, church: str, things: dict[str, str]) -> str:
    named = {key: word(value, things) for key, value in access.named.items()}
    return reverse(name, kwargs={"church": church, **named})


def faults(
    caller: Caller, expected: Any, things: dict[str, str], church: str = "grace", **headers: str
) -> dict[str, Any]:
    """Return the wrong answers by route; ``expected`` maps the lowest role of a route to right answers."""
    found: dict[str, Any] = {}
    for name, access in ROUTES.items():
        path = path_of(name, access, church, things)
        body = {key: word(value, things) for key, value in access.body.items()}
        asked = (("get", access.read), ("post", access.write))
        # Parts are read; a form goes the same way with htmx.
        for method, lowest in asked[:1] if headers else asked:
            given = body if method == "post" else {}
            status = caller.ask(method, path, given, **headers).status_code
            if status not in expected(lowest):
                found[f"{method} {name}"] = status
    return found


@pytest.fixture
def things(grace: Church, grace_owner: User) -> dict[str, str]:
    return {**things_of(grace, grace_owner), **things_of_user(grace, grace_owner)}


def colleague(church: Church, role: Role) -> User:
    user = User.objects.create_user("colleague", password=cast.PASSWORD)
    Staff.objects.create(church=church, user=user, role=role)
    return user


def test_the_table_names_every_route() -> None:
    found = {*names(urls.urlpatterns), *names(account_urls.urlpatterns)}
    assert found == ROUTES.keys() | OF_NO_CHURCH


def test_the_pages_are_routes(grace: Church) -> None:
    paths = {reverse(name, args=["grace"]) for name, access in ROUTES.items() if not access.named}
    assert {f"/churches/grace/{path}" for path in PAGES} <= paths


def test_a_visitor_signs_in_and_comes_back(things: dict[str, str]) -> None:
    visitor = Caller(None)
    for name, access in ROUTES.items():
        path = path_of(name, access, "grace", things)
        for method in ("get", "post"):
            answer = visitor.ask(method, path, {})
            assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={quote(path)}")


def test_a_part_sends_a_visitor_to_the_login_page(things: dict[str, str]) -> None:
    visitor = Caller(None)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/churches/grace/more/?x=1"}
    for name, access in ROUTES.items():
        path = path_of(name, access, "grace", things)
        for method in ("get", "post"):
            answer = visitor.ask(method, path, {}, **headers)
            assert answer["HX-Redirect"] == "/login/?next=/churches/grace/more/%3Fx%3D1"


@pytest.mark.parametrize("role", RANK)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "part"])
def test_a_route_is_for_the_roles_of_the_church(
    things: dict[str, str], grace: Church, role: Role, headers: dict[str, str]
) -> None:
    user = colleague(grace, role)
    mine = {**things, **things_of_user(grace, user)}

    def expected(lowest: str) -> set[int]:
        if lowest == NOBODY:
            return {403, 405}
        return TAKEN if RANK.index(role) >= RANK.index(Role(lowest)) else {403}

    assert faults(Caller(user), expected, mine, **headers) == {}


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "part"])
def test_a_stranger_and_another_office_find_nothing(
    things: dict[str, str], stranger: User, hope_owner: User, headers: dict[str, str]
) -> None:
    admin = User.objects.create_superuser("root", password=cast.PASSWORD)
    for user in (stranger, hope_owner, admin):
        assert faults(Caller(user), nothing, things, **headers) == {}


def nothing(_lowest: str) -> set[int]:
    return {404}


def nothing_by_a_method(lowest: str) -> set[int]:
    return {404} if lowest != NOBODY else {404, 405}


def of(names: set[str], found: dict[str, Any]) -> dict[str, Any]:
    """Return the faults of these routes."""
    return {ask: status for ask, status in found.items() if ask.split()[1] in names}


def test_a_missing_church_has_no_pages(things: dict[str, str], hope_owner: User) -> None:
    assert faults(Caller(hope_owner), nothing, things, "nowhere") == {}


def test_an_office_does_not_find_the_things_of_another_at_its_own_address(
    things: dict[str, str], hope_owner: User
) -> None:
    of_things = {name for name, access in ROUTES.items() if access.named}
    found = faults(Caller(hope_owner), nothing_by_a_method, things, "hope")
    assert of(of_things, found) == {}


def test_a_colleague_does_not_find_the_things_of_a_user(
    things: dict[str, str], grace: Church
) -> None:
    of_user = {
        name
        for name, access in ROUTES.items()
        if {"note", "file", "api_key", "session"} & set(access.named.values())
    }
    assert len(of_user) == 7
    found = faults(Caller(colleague(grace, Role.OWNER)), nothing_by_a_method, things)
    assert of(of_user, found) == {}
