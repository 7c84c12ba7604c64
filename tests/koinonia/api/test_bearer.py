"""Who a token is, and what they are in a church: asked on every request, in a query each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken
from pytest_django import DjangoAssertNumQueries

from koinonia.api.authentication import user_token
from koinonia.api.permissions import staff_place
from koinonia.models import Church, Role, Staff

LATER, BEFORE = timedelta(hours=1), timedelta(seconds=-1)


def issue(user: User, **values: Any) -> str:
    return str(AuthToken.objects.create(user=user, **values)[1])


def test_a_token_is_its_user(
    grace_owner: User, hope_owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    issue(hope_owner)
    token = issue(grace_owner, expiry=LATER)
    with django_assert_num_queries(1):
        found = user_token(token)
        assert found is not None
        assert (found.user, found.user.username) == (grace_owner, grace_owner.username)
    assert found == AuthToken.objects.get(user=grace_owner)
    assert found.expiry > timezone.now()
    assert found.user.password == grace_owner.password


def test_a_token_may_last_for_ever(grace_owner: User) -> None:
    assert user_token(issue(grace_owner, expiry=None)) is not None


def test_an_expired_token_is_nobodys(grace_owner: User) -> None:
    assert user_token(issue(grace_owner, expiry=BEFORE)) is None


def test_the_token_of_a_disabled_user_is_nobodys(grace_owner: User) -> None:
    token = issue(grace_owner)
    User.objects.update(is_active=False)
    assert user_token(token) is None


def test_what_only_begins_like_a_token_is_nobodys(grace_owner: User) -> None:
    token = issue(grace_owner)
    assert user_token(token[:-1] + ("0" if token[-1] != "0" else "1")) is None
    assert user_token(f"{token} ") is None


@pytest.mark.parametrize("gone", ["token", "place", "role"])
def test_rights_are_asked_for_again_on_a_304(grace_owner: User, grace: Church, gone: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {issue(grace_owner)}"})
    path = f"/api/v1/churches/{grace.slug}/staff/"
    same = {"If-None-Match": client.get(path)["ETag"]}
    assert client.get(path, headers=same).status_code == 304
    if gone == "token":
        AuthToken.objects.all().delete()
    elif gone == "place":
        Staff.objects.all().delete()
    else:
        Staff.objects.update(role=Role.VIEWER)
    expected = {"token": 401, "place": 404, "role": 403}[gone]
    assert client.get(path, headers=same).status_code == expected


def test_a_place_comes_with_its_church(
    grace: Church,
    hope: Church,
    grace_owner: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        place = staff_place(grace_owner.pk, "grace")
        assert place is not None
        assert (place.role, place.church, place.user_id) == (Role.OWNER, grace, grace_owner.pk)
        names = ("slug", "name", "phone_number", "country", "timezone")
        assert [getattr(place.church, name) for name in names] == [
            getattr(grace, name) for name in names
        ]
    assert place.church.version == Church.objects.get(slug="grace").version
    assert place.church.created_at == grace.created_at
    assert staff_place(grace_owner.pk, "hope") is None
