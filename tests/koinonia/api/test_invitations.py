"""Invitations: a user joins only by accepting, and an invitation does not reveal accounts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from koinonia.accounts import invitations
from koinonia.ids import encode
from koinonia.models import Church, Invitation, Role, Staff
from tests.koinonia_throttling.conftest import full_buckets
from tests.support import cast
from tests.support.races import at_once

__all__ = ["full_buckets"]

INVITATIONS = "/api/v1/churches/grace/invitations/"
MINE = "/api/v1/me/invitations/"
ADDRESS = "anna@mail.example"
AsUser = Callable[[User], APIClient]


def invite(owner: APIClient, **body: str) -> Any:
    return owner.post(INVITATIONS, {"role": "sender", **body}, format="json")


def token() -> str:
    """Return the token in the newest mail."""
    [link] = re.findall(r"http://testserver/invitations/([\w-]+)/", str(mail.outbox[-1].body))
    return str(link)


def accept(client: APIClient, path_token: str) -> Any:
    return client.post(f"{MINE}{path_token}/accept/")


def test_a_user_accepts_an_invitation_by_name(
    owner: APIClient, stranger: User, as_user: AsUser
) -> None:
    made = invite(owner, username="stranger")
    assert made.status_code == 201
    assert list(made.json()) == ["id", "email", "username", "role", "created_at", "expires_at"]
    assert made["Location"].endswith(f"{INVITATIONS}{made.json()['id']}/")
    client = as_user(stranger)
    assert client.get("/api/v1/me/").json()["churches"] == []
    [found] = client.get(MINE).json()["results"]
    assert found["church"] == {"slug": "grace", "name": "Grace Church"}
    assert (found["role"], found["invited_by"]) == ("sender", "grace-owner")
    joined = accept(client, found["token"])
    assert joined.status_code == 200
    assert joined.json() == {"slug": "grace", "name": "Grace Church", "role": "sender"}
    assert accept(client, found["token"]).status_code == 404
    assert (client.get(MINE).json()["results"], owner.get(INVITATIONS).json()["results"]) == (
        [],
        [],
    )


def test_the_mail_carries_the_link_and_the_answer_does_not(
    owner: APIClient, stranger: User, as_user: AsUser
) -> None:
    made = invite(owner, email="Anna@Mail.example")
    assert (made.status_code, made.json()["email"]) == (201, ADDRESS)
    assert mail.outbox[-1].to == [ADDRESS]
    assert token() not in made.content.decode()
    assert token() not in str(Invitation.objects.values().get())
    client = as_user(stranger)
    assert client.get(MINE).json()["results"] == []
    assert accept(client, made.json()["id"]).status_code == 404
    assert accept(client, token()).json()["role"] == "sender"
    # The first reader of a forwarded link must not reset the password of the second reader.
    stranger.refresh_from_db()
    assert stranger.email == ""


def test_the_answer_does_not_reveal_whether_an_account_exists(
    owner: APIClient, stranger: User, hope_owner: User
) -> None:
    """Compare the shape, the status and the number of queries."""
    User.objects.filter(pk=hope_owner.pk).update(email=ADDRESS)
    invite(owner, username="first")  # fill the caches
    told, work = [], []
    for body in (
        {"username": "stranger"}, {"username": "hope-owner"}, {"username": "nobody-7"},
        {"email": ADDRESS}, {"email": "nobody@mail.example"},
    ):  # fmt: skip
        with CaptureQueriesContext(connection) as asked:
            answer = invite(owner, **body)
        told.append((answer.status_code, list(answer.json()), sorted(answer.headers)))
        work.append(len(asked))
    assert told == [told[0]] * len(told)
    assert work[:3] == [work[0]] * 3
    assert work[3:] == [work[3]] * 2


def test_an_invitation_to_a_free_name_is_not_for_a_later_user_of_that_name(
    owner: APIClient, as_user: AsUser
) -> None:
    made = invite(owner, username="later")
    later = User.objects.create_user("later", password=cast.PASSWORD)
    client = as_user(later)
    assert client.get(MINE).json()["results"] == []
    assert accept(client, made.json()["id"]).status_code == 404
    assert not Staff.objects.filter(user=later).exists()


def test_an_invitation_is_only_for_the_named_user(
    owner: APIClient, stranger: User, hope_owner: User, as_user: AsUser
) -> None:
    key = invite(owner, username="stranger").json()["id"]
    assert accept(as_user(hope_owner), key).status_code == 404
    assert accept(APIClient(), key).status_code == 401
    assert Staff.objects.filter(church__slug="grace").count() == 1


@pytest.mark.parametrize("odd", ["x", "%00", "Uk", "a" * 500, "..", "\u00e9", "zzzzzzzzzzzz"])
def test_an_odd_token_is_not_found(stranger: User, as_user: AsUser, odd: str) -> None:
    assert accept(as_user(stranger), odd).status_code == 404


def test_an_invitation_expires(owner: APIClient, stranger: User, as_user: AsUser) -> None:
    invite(owner, username="stranger")
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    client = as_user(stranger)
    assert client.get(MINE).json()["results"] == []
    assert accept(client, encode(Invitation.objects.get().pk)).status_code == 404


def test_an_owner_withdraws_an_invitation(
    owner: APIClient, stranger: User, as_user: AsUser
) -> None:
    made = invite(owner, email=ADDRESS)
    assert owner.delete(made["Location"]).status_code == 204
    assert owner.delete(made["Location"]).status_code == 404
    assert accept(as_user(stranger), token()).status_code == 404


def test_invitations_of_a_former_owner_are_void(
    owner: APIClient, grace_owner: User, stranger: User, as_user: AsUser
) -> None:
    invite(owner, username="stranger", role="owner")
    Staff.objects.filter(user=grace_owner).update(role=Role.VIEWER)
    client = as_user(stranger)
    assert client.get(MINE).json()["results"] == []
    assert accept(client, encode(Invitation.objects.get().pk)).status_code == 404


def test_invitations_of_a_disabled_owner_are_void(
    owner: APIClient, grace_owner: User, stranger: User, as_user: AsUser
) -> None:
    """Void the invitations of an account that the operator disables after a break-in."""
    invite(owner, username="stranger", role="owner")
    invite(owner, email=ADDRESS, role="owner")
    User.objects.filter(pk=grace_owner.pk).update(is_active=False)
    client = as_user(stranger)
    assert client.get(MINE).json()["results"] == []
    for invitation in (encode(Invitation.objects.get(email="").pk), token()):
        assert accept(client, invitation).status_code == 404
    assert Client().get(f"/invitations/{token()}/").status_code == 404


def test_a_repeated_invitation_replaces_the_first(
    owner: APIClient, stranger: User, as_user: AsUser
) -> None:
    invite(owner, email=ADDRESS)
    first = token()
    invite(owner, email=ADDRESS, role="viewer")
    assert Invitation.objects.count() == 1
    assert accept(as_user(stranger), first).status_code == 404
    assert accept(as_user(stranger), token()).json()["role"] == "viewer"


def test_open_invitations_are_limited(owner: APIClient) -> None:
    for number in range(invitations.MAX_OPEN):
        assert invite(owner, username=f"user-{number}").status_code == 201
    refused = invite(owner, username="one-more")
    assert refused.status_code == 400
    assert "25 invitations are open" in refused.json()["errors"]["non_field_errors"][0]
    assert invite(owner, username="user-3").status_code == 201
    Invitation.objects.update(expires_at=timezone.now())
    assert invite(owner, username="one-more").status_code == 201


def test_an_invitation_of_another_church_is_not_found(
    owner: APIClient, hope: Church, hope_owner: User, as_user: AsUser
) -> None:
    body = {"username": "x", "role": "viewer"}
    theirs = as_user(hope_owner).post("/api/v1/churches/hope/invitations/", body, format="json")
    assert owner.delete(f"{INVITATIONS}{theirs.json()['id']}/").status_code == 404
    assert Invitation.objects.count() == 1


def test_a_failed_mail_leaves_no_invitation(owner: APIClient, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    refused = invite(owner, email=ADDRESS)
    assert (refused.status_code, refused["Content-Type"]) == (503, "application/problem+json")
    assert not Invitation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_link_used_twice_at_once_makes_one_membership(owner: APIClient, stranger: User) -> None:
    invite(owner, email=ADDRESS)
    link, users = token(), [stranger, User.objects.create_user("other")]
    codes: list[int] = []

    def use(user: User) -> None:
        client = APIClient()
        client.force_authenticate(user)
        codes.append(accept(client, link).status_code)

    at_once([partial(use, user) for user in users])
    assert sorted(codes) == [200, 404]
    assert Staff.objects.filter(church__slug="grace", role="sender").count() == 1


def test_a_new_person_chooses_a_password_and_joins(owner: APIClient, settings: Any) -> None:
    invite(owner, email=ADDRESS)
    page, browser = f"/invitations/{token()}/", Client()
    shown = browser.get(page)
    assert b"Grace Church" in shown.content
    assert b"grace-owner invites" in shown.content
    weak = browser.post(page, {"new_password1": "anna", "new_password2": "anna"})
    assert b"too short" in weak.content
    assert not User.objects.filter(email=ADDRESS).exists()
    good = {"new_password1": "a long enough one 7", "new_password2": "a long enough one 7"}
    joined = browser.post(page, good)
    assert (joined.status_code, joined["Location"]) == (302, "/churches/grace/")
    user = User.objects.get(email=ADDRESS)
    assert user.username == ADDRESS
    assert user.check_password("a long enough one 7")
    assert b"Grace Church" in browser.get("/", follow=True).content
    assert Client().get(page).status_code == 404


def test_a_new_account_cannot_take_an_existing_name(owner: APIClient) -> None:
    User.objects.create_user(ADDRESS, password=cast.PASSWORD)
    invite(owner, email=ADDRESS)
    good = {"new_password1": "a long enough one 7", "new_password2": "a long enough one 7"}
    assert Client().post(f"/invitations/{token()}/", good).status_code == 200
    assert User.objects.get(email=ADDRESS).username == f"{ADDRESS}-2"


def test_a_new_person_learns_the_user_name_of_the_account(owner: APIClient) -> None:
    invite(owner, email=ADDRESS)
    page = f"/invitations/{token()}/"
    told = f"Your user name will be <strong>{ADDRESS}</strong>."
    assert told in Client().get(page).content.decode()
    User.objects.create_user(ADDRESS, password=cast.PASSWORD)
    good = {"new_password1": "a long enough one 7", "new_password2": "a long enough one 7"}
    browser = Client()
    joined = browser.post(page, good)
    assert f"Your user name is <strong>{ADDRESS}-2</strong>" in joined.content.decode()
    assert b"Grace Church" in browser.get("/", follow=True).content


def test_a_signed_in_user_accepts_with_one_button(owner: APIClient, stranger: User) -> None:
    invite(owner, username="stranger")
    browser = Client()
    browser.force_login(stranger)
    [path] = re.findall(
        r'action="(/invitations/\w+/)"', browser.get("/", follow=True).content.decode()
    )
    assert b"Accept as stranger" in browser.get(path).content
    assert not Staff.objects.filter(user=stranger).exists()
    assert browser.post(path)["Location"] == "/churches/grace/"
    assert Staff.objects.get(user=stranger).role == "sender"


def test_the_invitation_page_of_another_person_is_not_found(
    owner: APIClient, stranger: User
) -> None:
    key = invite(owner, username="nobody-else").json()["id"]
    browser = Client()
    anonymous = browser.get(f"/invitations/{key}/")
    browser.force_login(stranger)
    foreign = browser.get(f"/invitations/{key}/")
    assert (anonymous.status_code, foreign.status_code) == (404, 404)
    assert b"Grace" not in anonymous.content + foreign.content


def test_the_limit_on_mails_is_per_church(owner: APIClient, settings: Any, grace: Church) -> None:
    policies = {**settings.THROTTLING["POLICIES"]}
    policies["invitations"] = {**policies["invitations"], "rate": "2/h"}
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": True, "POLICIES": policies}
    codes = [invite(owner, email=f"a{number}@mail.example").status_code for number in range(3)]
    assert codes == [201, 201, 429]
