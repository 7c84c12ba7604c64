"""Authorization of a church's event stream: by staff, sessions and tokens, and by key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings as project
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from koinonia.models import Church, Role, Staff
from realtime import credentials, notices, tickets
from realtime.authorization import Access, check_access
from realtime.consumer import EventConsumer
from realtime.credentials import Credential
from realtime.threads import in_thread

GRACE = "church:grace"
SECONDS = 20


@pytest.fixture
def told() -> Any:
    """Return the list of users that this process was told to check again."""
    heard: list[str] = []

    def hear(notice: dict[str, Any]) -> None:
        if notice["type"] == "rights.changed":
            heard.append(notice["user"])

    notices.add_local_listener(hear)
    yield heard
    notices.remove_local_listener(hear)


def by_session(user: User) -> Credential:
    browser = Client()
    browser.force_login(user)
    found = credentials.of_session(str(browser.session.session_key))
    assert found is not None
    return found


def by_token(user: User) -> Credential:
    found = credentials.of_bearer(AuthToken.objects.create(user=user)[1])
    assert found is not None
    return found


def verdict(credential: Credential) -> Access:
    return check_access([(credential, [GRACE, f"user:{credential.user_id}"])])[0]


def leave_staff(user: User, credential: Credential) -> None:
    Staff.objects.get(user=user).delete()


def disable(user: User, credential: Credential) -> None:
    user.is_active = False
    user.save()


def delete(user: User, credential: Credential) -> None:
    user.delete()


def change_password(user: User, credential: Credential) -> None:
    user.set_password("another one, and long")
    user.save()


def log_out(user: User, credential: Credential) -> None:
    browser = Client()
    browser.cookies[project.SESSION_COOKIE_NAME] = credential.session_key
    browser.post("/logout/")
    assert not import_module(project.SESSION_ENGINE).SessionStore().exists(credential.session_key)


def revoke(user: User, credential: Credential) -> None:
    AuthToken.objects.get(digest=credential.bearer).delete()


ENDED, LOST = Access(expired=True), Access(revoked=[GRACE])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("by", "change", "expected"),
    [
        (by_session, leave_staff, LOST),
        (by_token, leave_staff, LOST),
        (by_session, disable, ENDED),
        (by_session, delete, ENDED),
        (by_session, change_password, ENDED),
        (by_token, change_password, ENDED),
        (by_session, log_out, ENDED),
        (by_token, revoke, ENDED),
    ],
)
def test_each_lost_right_is_reported_and_rechecked(
    grace_viewer: User,
    told: list[str],
    by: Callable[[User], Credential],
    change: Callable[[User, Credential], None],
    expected: Access,
) -> None:
    credential, pk = by(grace_viewer), grace_viewer.pk
    assert verdict(credential) == Access()
    told.clear()
    change(grace_viewer, credential)
    assert verdict(credential) == expected
    assert str(pk) in told


@pytest.mark.django_db(transaction=True)
def test_a_new_role_keeps_access_and_is_rechecked_at_once(
    grace_owner: User, told: list[str]
) -> None:
    credential = by_session(grace_owner)
    staff = Staff.objects.get(user=grace_owner)
    told.clear()
    staff.role = Role.VIEWER
    staff.save()
    assert verdict(credential) == Access()
    assert told == [str(grace_owner.pk)]


def test_an_expired_token_ends_without_a_notice(grace_viewer: User) -> None:
    credential = by_token(grace_viewer)
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert verdict(credential) == ENDED


def test_superusers_and_support_have_no_access_to_a_church(grace: Church, admin_user: User) -> None:
    assert verdict(credentials.of_user(admin_user)) == LOST


TRICKS = [
    "church:grace", "church:Grace", "CHURCH:grace", "church:GRACE", "church:grace ", " church:grace",
    "church:grace\n", "church:grace\x00", "church:gra\u200bce", "church:\uff47race", "church:gr\u0430ce",
    "church::grace", "church:hope:grace", "church:hope,church:grace", "church.grace", "church:*",
    "church:%", "church:gr_ce", "church:", "church:../grace", "user:{owner}", "user:0{owner}",
    "user:+{owner}", "User:me", "user:ME", "user:me ", "user:Me", "user:", "users:{owner}",
    "realtime.rights", "church:grace'--",
]  # fmt: skip


@pytest.mark.django_db(transaction=True)
async def test_no_stream_key_opens_another_churchs_stream(
    grace_owner: User, hope_owner: User
) -> None:
    def ticket() -> str:
        return tickets.issue(credentials.of_user(hope_owner), now=timezone.now())[0]

    path = f"/ws/v1/?ticket={await in_thread(ticket)}"
    socket = WebsocketCommunicator(EventConsumer.as_asgi(), path)
    await socket.connect(timeout=SECONDS)
    assert (await socket.receive_json_from(SECONDS))["type"] == "welcome"
    for trick in TRICKS:
        await socket.send_json_to(
            {"type": "subscribe", "stream": trick.format(owner=grace_owner.pk), "since": 0}
        )
        answer = await socket.receive_json_from(SECONDS)
        assert (answer["type"], answer["code"] in ("forbidden", "unknown_stream")) == (
            "error",
            True,
        )
    await socket.disconnect()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "slug", ["grace", "Grace", "grace%00", "hope/../grace", "%67race", "grace%2f"]
)
def test_no_path_opens_another_churchs_events(grace: Church, hope_owner: User, slug: str) -> None:
    browser = Client()
    browser.force_login(hope_owner)
    answer = browser.get(f"/api/v1/churches/{slug}/events/?after=0")
    assert answer.status_code == 404
