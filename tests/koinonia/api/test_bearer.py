"""The user of a token and the user's membership of a church: read on every request, one query each."""

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
from koinonia.api.permissions import membership_of
from koinonia.models import Church, Role, Staff

LATER, BEFORE = timedelta(hours=1), timedelta(seconds=-1)


def issue(user: User, **values: Any) -> str:
    return str(AuthToken.objects.create(user=user, **values)[1])


def test_a_token_gives_its_user(
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


def test_a_token_without_an_expiry_is_valid(grace_owner: User) -> None:
    assert user_token(issue(grace_owner, expiry=None)) is not None


def test_an_expired_token_is_not_valid(grace_owner: User) -> None:
    assert user_token(issue(grace_owner, expiry=BEFORE)) is None


def test_the_token_of_a_disabled_user_is_not_valid(grace_owner: User) -> None:
    token = issue(grace_owner)
    User.objects.update(is_active=False)
    assert user_token(token) is None


def test_a_text_that_only_begins_like_a_token_is_not_valid(grace_owner: User) -> None:
    token = issue(grace_owner)
    assert user_token(token[:-1] + ("0" if token[-1] != "0" else "1")) is None
    assert user_token(f"{token} ") is None


@pytest.mark.parametrize("gone", ["token", "membership", "role"])
def test_access_is_checked_before_a_304(grace_owner: User, grace: Church, gone: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {issue(grace_owner)}"})
    path = f"/api/v1/churches/{grace.slug}/staff/"
    same = {"If-None-Match": client.get(path)["ETag"]}
    assert client.get(path, headers=same).status_code == 304
    if gone == "token":
        AuthToken.objects.all().delete()
    elif gone == "membership":
        Staff.objects.all().delete()
    else:
        Staff.objects.update(role=Role.VIEWER)
    expected = {"token": 401, "membership": 404, "role": 403}[gone]
    assert client.get(path, headers=same).status_code == expected


def test_a_membership_has_every_column_of_staff_and_church_in_one_query(
    grace: Church,
    hope: Church,
    grace_owner: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    expected = Staff.objects.select_related("church").get(user=grace_owner)
    with django_assert_num_queries(1):
        membership = membership_of(grace_owner.pk, "grace")
        assert membership is not None
        for made, read in ((membership, expected), (membership.church, expected.church)):
            for field in made._meta.concrete_fields:
                value = getattr(made, field.attname)
                assert value == getattr(read, field.attname)
                assert type(value) is type(getattr(read, field.attname))
    assert membership_of(grace_owner.pk, "hope") is None
