"""A password change ends every session, token, ticket, socket and long poll, however it is made."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import AsyncClient, Client
from django.utils import timezone
from knox.models import AuthToken

from koinonia.accounts import keys, passwords, session_store, tokens
from koinonia.http.request_threads import RequestThreadHandler
from koinonia.models import TokenDetails, UserSession
from realtime import tickets
from realtime.consumer import EventConsumer
from realtime.hub import Hub
from tests.koinonia_throttling.conftest import full_buckets
from tests.support import cast

__all__ = ["full_buckets"]

NEW = "another one, and long"
ME = "/api/v1/me/"
SOON = 20
"""Seconds. Shorter than the wait of the held poll, so that its end is not a timeout."""

Door = Callable[[User, pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> None:
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": False}


@pytest.fixture
def user(db: None, unlimited: None) -> User:
    return User.objects.create_user("grace-owner", email="o@grace.example", password=cast.PASSWORD)


def session_of(user: User) -> Client:
    browser = Client()
    browser.force_login(User.objects.get(pk=user.pk))
    return browser


def token_of(user: User) -> Client:
    token = AuthToken.objects.create(user=user)[1]
    return Client(headers={"Authorization": f"Bearer {token}"})


def by_api(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"current_password": cast.PASSWORD, "new_password": NEW}
    answer = token_of(user).post(f"{ME}password/", body, content_type="application/json")
    assert answer.status_code == 204


def by_page(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    form = {"old_password": cast.PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert session_of(user).post("/password/", form)["Location"] == "/login/?changed=1"


def by_admin(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    root = session_of(User.objects.create_superuser("root"))
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert root.post(f"/admin/auth/user/{user.pk}/password/", form).status_code == 302


def by_command(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW)
    call_command("changepassword", user.username, verbosity=0)


def by_mail(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Client()
    visitor.post("/password-reset/", {"email": user.email})
    [link] = re.findall(r"http://testserver(\S+)", str(mail.outbox[-1].body))
    form = visitor.get(link)["Location"]
    done = visitor.post(form, {"new_password1": NEW, "new_password2": NEW})
    assert done["Location"] == "/password-reset/complete/"


def by_sql(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    other = User(username="other")
    other.set_password(NEW)
    User.objects.filter(pk=user.pk).update(password=other.password)


def with_another_password(user: User) -> None:
    passwords.change(user, NEW)


DOORS = [by_api, by_page, by_admin, by_command, by_mail, by_sql]


@pytest.mark.parametrize("way", [session_of, token_of])
@pytest.mark.parametrize("ending", [passwords.log_out_everywhere, with_another_password])
def test_a_request_from_before_the_logout_cannot_create_a_token(
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[User], Client],
    ending: Callable[[User], None],
) -> None:
    """Race a stolen token against the logout: the request must not create another token."""
    make = keys.make

    def ended_meanwhile(*args: Any, **kwargs: Any) -> Any:
        ending(User.objects.get(pk=user.pk))
        return make(*args, **kwargs)

    client = way(user)
    monkeypatch.setattr(keys, "make", ended_meanwhile)
    answer = client.post(f"{ME}tokens/", {"name": "Kept"}, content_type="application/json")
    assert answer.status_code == 401
    assert not AuthToken.objects.exists()


@pytest.mark.parametrize("door", DOORS)
def test_sessions_and_tokens_of_the_old_password_are_invalid(
    user: User, monkeypatch: pytest.MonkeyPatch, door: Door
) -> None:
    session, token = session_of(user), token_of(user)
    by_session, by_token = (
        one.post("/api/v1/realtime/ticket/").json()["ticket"] for one in (session, token)
    )
    held = [session.session.session_key, AuthToken.objects.get().digest]
    assert [one.get(ME).status_code for one in (session, token)] == [200, 200]
    door(user, monkeypatch)
    assert User.objects.get(pk=user.pk).check_password(NEW)
    assert [one.get(ME).status_code for one in (session, token)] == [401, 401]
    for ticket in (by_session, by_token):
        credential = tickets.redeem(ticket, now=timezone.now())
        assert credential is not None
        assert credential.user() is None
    assert all(held)


def test_sessions_and_tokens_of_a_disabled_user_are_invalid(user: User) -> None:
    session, token = session_of(user), token_of(user)
    User.objects.update(is_active=False)
    assert [one.get(ME).status_code for one in (session, token)] == [401, 401]


async def _open(user: User) -> WebsocketCommunicator:
    ticket = (await sync_to_async(_ticket)(user))["ticket"]
    socket = WebsocketCommunicator(EventConsumer.as_asgi(), f"/ws/v1/?ticket={ticket}")
    await socket.connect(timeout=SOON)
    assert (await socket.receive_json_from(SOON))["type"] == "welcome"
    return socket


async def _hold_poll(user: User) -> Any:
    """Start a poll of the user's stream that waits in the event loop, like in a web process.

    Django's test client would wait in a thread with a separate hub.
    """
    token = (await sync_to_async(AuthToken.objects.create)(user))[1]
    headers = {"Authorization": f"Bearer {token}"}
    head = (await AsyncClient().get(f"{ME}events/", headers=headers)).json()["to"]
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": f"{ME}events/",
        "query_string": f"after={head}&wait=25".encode(),
        "headers": [(b"host", b"testserver"), (b"authorization", f"Bearer {token}".encode())],
    }  # fmt: skip
    held: Any = ApplicationCommunicator(RequestThreadHandler(), scope)  # type: ignore[no-untyped-call]  # untyped
    await held.send_input({"type": "http.request", "body": b""})
    return held


def _ticket(user: User) -> dict[str, str]:
    found: dict[str, str] = token_of(user).post("/api/v1/realtime/ticket/").json()
    return found


def everywhere(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert session_of(user).post(f"{ME}logout-everywhere/").status_code == 204


def disabled(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", [*DOORS, everywhere, disabled])
async def test_a_password_change_ends_sockets_and_held_polls(
    user: User, monkeypatch: pytest.MonkeyPatch, door: Door
) -> None:
    socket = await _open(user)
    held = await _hold_poll(user)
    key = f"user:{user.pk}"
    # The test cannot observe when the poll begins to wait.
    while not held.future.done() and key not in Hub.current().feeds:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await sync_to_async(door)(user, monkeypatch)
    closed = await socket.receive_output(SOON)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)
    assert (await held.receive_output(SOON))["status"] == 401
    await held.wait(SOON)
    await socket.disconnect()


def test_logging_out_everywhere_ends_old_sessions_too(user: User) -> None:
    """End sessions of an earlier release, which stored no users for sessions."""
    other = User.objects.create_user("other")
    mine, old, theirs = session_of(user), session_of(user), session_of(other)
    UserSession.objects.filter(session_key=old.session.session_key).delete()
    token = token_of(user)
    assert mine.post(f"{ME}logout-everywhere/").status_code == 204
    codes = [one.get(ME).status_code for one in (mine, old, token, theirs)]
    assert codes == [401, 401, 401, 200]
    assert not AuthToken.objects.filter(user=user).exists()
    assert Session.objects.count() == UserSession.objects.count() == 1


def test_a_session_keeps_its_user_when_its_key_changes(user: User) -> None:
    browser = session_of(user)
    session = browser.session
    session.cycle_key()
    session.save()
    assert UserSession.objects.get(session_key=session.session_key).user == user
    assert session_store.delete_orphans() == 0


def test_a_wrong_password_changes_nothing_and_counts_against_the_limit(
    user: User, settings: Any
) -> None:
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": True}
    body = {"current_password": "guess", "new_password": NEW}
    token = token_of(user)
    answers = [
        token.post(f"{ME}password/", body, content_type="application/json") for _ in range(6)
    ]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert list(answers[0].json()["errors"]) == ["current_password"]
    assert token.get(ME).status_code == 200


@pytest.mark.parametrize("weak", ["short1", "password", "12345678901", "grace-owner"])
def test_a_weak_password_is_refused_with_the_reason(user: User, weak: str) -> None:
    body = {"current_password": cast.PASSWORD, "new_password": weak}
    answer = token_of(user).post(f"{ME}password/", body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["new_password"])
    assert User.objects.get(pk=user.pk).check_password(cast.PASSWORD)


def test_a_token_of_an_earlier_release_is_valid_until_the_password_changes(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, unused = token_of(user), token_of(user)
    TokenDetails.objects.all().delete()
    assert token.get(ME).status_code == 200
    assert TokenDetails.objects.count() == 1
    by_api(user, monkeypatch)
    assert [one.get(ME).status_code for one in (token, unused)] == [401, 401]


def test_a_new_name_ends_no_token_of_an_earlier_release(user: User) -> None:
    token = token_of(user)
    TokenDetails.objects.all().delete()
    user.first_name = "Ann"
    user.save()
    assert token.get(ME).status_code == 200


def test_an_earlier_release_can_delete_its_tokens(user: User) -> None:
    """Delete only the token's row, like a release that does not know the details."""
    token_of(user)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM knox_authtoken")
    connection.check_constraints()
    assert list(tokens.valid_tokens(user)) == []


def test_signing_out_leads_to_the_login_page(user: User) -> None:
    browser = session_of(user)
    assert browser.post("/logout/")["Location"] == "/login/?signed_out=1"
    assert browser.get(ME).status_code == 401
