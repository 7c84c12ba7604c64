"""Races: an item is deleted after a request has read it and before it writes: 404 or 409."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from knox.models import AuthToken
from rest_framework import serializers
from rest_framework.test import APIClient

from koinonia import ids
from koinonia.api.views.groups import GroupView
from koinonia.api.views.members import MemberView
from koinonia.api.views.staff import StaffView
from koinonia.models import Church, Conversation, Group, Member, Role, Staff
from tests.support import cast

pytestmark = pytest.mark.django_db(transaction=True)
G = "/api/v1/churches/grace/"
PROBLEM = "application/problem+json"
ROUNDS = 12


@pytest.fixture
def choir(grace: Church) -> Group:
    return Group.objects.create(church=grace, name="Choir")


@pytest.fixture
def helper(grace: Church) -> Staff:
    user = User.objects.create_user("helper", password=cast.PASSWORD)
    return Staff.objects.create(church=grace, user=user, role=Role.SENDER)


@contextmanager
def after_validation(act: Callable[[], object]) -> Iterator[None]:
    """Run ``act`` once, between the validation of a body and the first write."""
    original = serializers.BaseSerializer.is_valid
    pending = [act]

    def is_valid(self: Any, **options: Any) -> bool:
        result = original(self, **options)
        while pending:
            pending.pop()()
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serializers.BaseSerializer, "is_valid", is_valid)
        yield


def patched(client: APIClient, item: Any, kind: str, body: dict[str, Any]) -> int:
    key = ids.encode(item.pk)
    client.raise_request_exception = False
    with after_validation(lambda: type(item).objects.filter(pk=item.pk).delete()):
        answer = client.patch(f"{G}{kind}/{key}/", body, format="json")
    assert answer["Content-Type"] == PROBLEM
    return int(answer.status_code)


def test_an_item_that_is_deleted_before_its_change_is_not_found(
    owner: APIClient, anna: Member, choir: Group, helper: Staff
) -> None:
    assert patched(owner, anna, "members", {"first_name": "Ann"}) == 404
    assert patched(owner, choir, "groups", {"name": "Ringers"}) == 404
    assert patched(owner, helper, "staff", {"role": "viewer"}) == 404


def test_an_item_that_is_deleted_before_an_empty_change_is_not_found(
    owner: APIClient, anna: Member, choir: Group, helper: Staff
) -> None:
    assert patched(owner, anna, "members", {}) == 404
    assert patched(owner, choir, "groups", {}) == 404
    assert patched(owner, helper, "staff", {}) == 404


@pytest.mark.parametrize("kind", ["members", "groups", "staff"])
def test_of_two_deletions_of_one_item_one_succeeds(
    owner: APIClient, anna: Member, choir: Group, helper: Staff, kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    item: Any = {"members": anna, "groups": choir, "staff": helper}[kind]
    view: Any = {"members": MemberView, "groups": GroupView, "staff": StaffView}[kind]
    original = view.get_object

    def get_object(self: Any) -> Any:
        found = original(self)
        type(item).objects.filter(pk=item.pk).delete()
        return found

    monkeypatch.setattr(view, "get_object", get_object)
    owner.raise_request_exception = False
    assert owner.delete(f"{G}{kind}/{ids.encode(item.pk)}/").status_code == 404


def test_a_group_that_is_deleted_before_a_member_joins_it_is_a_conflict(
    owner: APIClient, anna: Member, choir: Group
) -> None:
    owner.raise_request_exception = False
    body = {"groups": [ids.encode(choir.pk)]}
    with after_validation(lambda: Group.objects.filter(pk=choir.pk).delete()):
        answer = owner.patch(f"{G}members/{ids.encode(anna.pk)}/", body, format="json")
    assert (answer.status_code, answer["Content-Type"]) == (409, PROBLEM)
    new = {"first_name": "B", "phone": "+13125550133"}
    ringers = Group.objects.create(church=anna.church, name="Ringers")
    with after_validation(lambda: Group.objects.filter(pk=ringers.pk).delete()):
        answer = owner.post(
            f"{G}members/", {**new, "groups": [ids.encode(ringers.pk)]}, format="json"
        )
    assert answer.status_code == 409
    assert Member.objects.count() == 1


@pytest.mark.parametrize("key", [None, "once"])
def test_a_member_who_is_deleted_while_a_text_is_sent_causes_no_server_error(
    owner: APIClient, anna: Member, key: str | None
) -> None:
    owner.raise_request_exception = False
    body = {"member": ids.encode(anna.pk), "text": "Hi"}
    headers = {"Idempotency-Key": key} if key else {}
    with after_validation(lambda: Member.objects.filter(pk=anna.pk).delete()):
        answer = owner.post(f"{G}messages/", body, format="json", headers=headers)
    assert answer.status_code in (202, 404, 409)


def test_a_conversation_that_is_deleted_before_it_is_read_is_not_found(
    owner: APIClient, anna: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Conversation.objects.create(church=anna.church, phone=anna.phone)
    owner.raise_request_exception = False
    original = Conversation.objects.select_for_update

    def gone(*args: Any, **options: Any) -> Any:
        Conversation.objects.filter(pk=talk.pk).delete()
        return original(*args, **options)

    monkeypatch.setattr(Conversation.objects, "select_for_update", gone)
    assert owner.post(f"{G}conversations/{ids.encode(talk.pk)}/read/").status_code == 404


@pytest.mark.parametrize(
    "path", ["members/", "groups/", "messages/", "broadcasts/", "invitations/"]
)
def test_a_church_or_user_that_is_deleted_during_a_request_causes_no_server_error(
    owner: APIClient, grace: Church, grace_owner: User, anna: Member, path: str
) -> None:
    body = {
        "members/": {"first_name": "B", "phone": "+13125550133"},
        "groups/": {"name": "Ringers"},
        "messages/": {"to": "+13125550133", "text": "Hi"},
        "broadcasts/": {"text": "Hi", "audience": {"all": True}},
        "invitations/": {"username": "newcomer", "role": "viewer"},
    }[path]
    owner.raise_request_exception = False

    def leave() -> None:
        Staff.objects.all().delete()
        Member.objects.all().delete()
        User.objects.filter(pk=grace_owner.pk).delete()
        Church.objects.filter(pk=grace.pk).delete()

    headers = {"Idempotency-Key": "once"}
    with after_validation(leave):
        answer = owner.post(f"{G}{path}", body, format="json", headers=headers)
    assert answer.status_code in (400, 404, 409), answer.content


def test_a_user_who_is_deleted_while_logging_in_gets_no_token(
    grace_owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def authenticate(*_: Any, **__: Any) -> User:
        user = User.objects.get(pk=grace_owner.pk)
        User.objects.filter(pk=user.pk).delete()
        return user

    monkeypatch.setattr("koinonia.api.views.auth.authenticate", authenticate)
    client = APIClient(raise_request_exception=False)
    given = {"username": grace_owner.username, "password": cast.PASSWORD}
    answer = client.post("/api/v1/auth/login/", given, format="json")
    assert answer.status_code in (401, 409)
    assert not AuthToken.objects.exists()


@pytest.mark.parametrize("if_match", [None, '"1"', "*"])
def test_change_and_delete_in_two_threads_cause_no_server_error(
    owner: APIClient, grace: Church, grace_owner: User, if_match: str | None
) -> None:
    bodies = {"members": {"first_name": "B"}, "groups": {"name": "B"}, "staff": {"role": "viewer"}}
    seen: set[tuple[int, int]] = set()
    for kind, body in bodies.items():
        for number in range(ROUNDS):
            path = f"{G}{kind}/{ids.encode(made(grace, kind, number))}/"
            seen.add(raced(grace_owner, path, {**body}, if_match))
    assert {change for change, _ in seen} <= {200, 404, 412}
    assert {deletion for _, deletion in seen} <= {204, 404, 412}


def made(church: Church, kind: str, number: int) -> int:
    if kind == "members":
        return cast.member(church, "A", f"+1312555{number:04}").pk
    if kind == "groups":
        Group.objects.filter(church=church).delete()
        return Group.objects.create(church=church, name=f"Group {number}").pk
    user = User.objects.create_user(f"helper-{number}")
    return Staff.objects.create(church=church, user=user, role=Role.SENDER).pk


def raced(user: User, path: str, body: dict[str, Any], if_match: str | None) -> tuple[int, int]:
    barrier = Barrier(2)

    def ask(method: str) -> int:
        client = APIClient(raise_request_exception=False)
        client.force_authenticate(user)
        headers = {"If-Match": if_match} if if_match else {}
        barrier.wait(20)
        try:
            answer = client.generic(
                method, path, json.dumps(body), content_type="application/json", headers=headers
            )
            return int(answer.status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        change, deletion = threads.map(ask, ["PATCH", "DELETE"])
    return change, deletion
