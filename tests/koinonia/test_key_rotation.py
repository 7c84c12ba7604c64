"""SECRET_KEY rotates without a gap: logins, tickets, links and known addresses outlive it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.utils import timezone

from koinonia.accounts.tokens import login_token
from realtime import credentials, tickets
from tests.support.cast import PASSWORD
from throttling.charges import earlier_name_digests, name_digest
from throttling.logins import _charges
from throttling.models import LoginAddress

pytestmark = pytest.mark.django_db

OLD, NEW = "old" * 20, "new" * 20
COOKIE = django_settings.SESSION_COOKIE_NAME
Use = Callable[..., None]


@pytest.fixture
def use(settings: Any) -> Use:
    """Return a function that runs the rest of the test as a process with these keys."""

    def use(key: str, *fallbacks: str) -> None:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = key, list(fallbacks)

    use(OLD)
    return use


@pytest.fixture
def cookie(grace_owner: User, use: Use) -> str:
    """Return the session cookie of a login under the old key."""
    client = Client()
    assert client.login(username=grace_owner.username, password=PASSWORD)
    return client.cookies[COOKIE].value


def is_logged_in(cookie: str) -> bool:
    client = Client()
    client.cookies[COOKIE] = cookie
    answer = client.get("/api/v1/me/")
    assert COOKIE not in answer.cookies or answer.cookies[COOKIE].value == cookie
    return answer.status_code == 200


def test_all_requests_of_an_open_page_stay_logged_in(cookie: str, use: Use) -> None:
    use(NEW, OLD)
    assert [is_logged_in(cookie) for _ in range(3)] == [True] * 3


def test_processes_with_either_key_accept_the_same_session_in_turn(cookie: str, use: Use) -> None:
    for _ in range(2):
        use(NEW, OLD)
        assert is_logged_in(cookie)
        use(OLD, NEW)
        assert is_logged_in(cookie)


def test_a_session_of_a_key_that_is_gone_has_ended(cookie: str, use: Use) -> None:
    use(NEW)
    assert not is_logged_in(cookie)


def test_a_session_that_was_used_outlives_the_old_key(cookie: str, use: Use) -> None:
    use(NEW, OLD)
    assert is_logged_in(cookie)
    use(NEW)
    assert is_logged_in(cookie)


def test_a_login_still_gets_a_new_session_key(grace_owner: User, cookie: str, use: Use) -> None:
    use(NEW, OLD)
    client = Client()
    client.cookies[COOKIE] = cookie
    client.login(username=grace_owner.username, password=PASSWORD)
    assert client.cookies[COOKIE].value != cookie


@pytest.mark.parametrize(("made", "opened"), [((NEW, OLD), (OLD, NEW)), ((OLD,), (NEW, OLD))])
def test_a_ticket_of_another_process_opens_a_socket(
    grace_owner: User, use: Use, made: tuple[str, ...], opened: tuple[str, ...]
) -> None:
    use(*made)
    ticket, _ = tickets.issue(credentials.of_user(grace_owner), now=timezone.now())
    use(*opened)
    credential = tickets.redeem(ticket, now=timezone.now())
    assert credential is not None
    assert credential.user() == grace_owner


def test_a_socket_of_a_session_stays_valid(grace_owner: User, cookie: str, use: Use) -> None:
    use(NEW, OLD)
    credential = credentials.of_session(cookie)
    assert credential is not None
    assert credential.user() == grace_owner
    use(OLD, NEW)
    assert credential.user() == grace_owner


def test_tokens_and_links_outlive_the_key(grace_owner: User, use: Use) -> None:
    _, token = login_token(grace_owner)
    link = default_token_generator.make_token(grace_owner)
    use(NEW, OLD)
    answer = Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert default_token_generator.check_token(grace_owner, link)


def test_a_known_address_stays_known(grace_owner: User, use: Use) -> None:
    name = grace_owner.username
    LoginAddress.objects.remember(name_digest(name), "203.0.113.9", now=timezone.now())
    use(NEW, OLD)
    known = _charges(name_digest(name), "203.0.113.9", earlier_name_digests(name))
    unknown = _charges(name_digest(name), "203.0.113.9", [name_digest(name)])
    assert len(known) < len(unknown)
