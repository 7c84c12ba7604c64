"""Bad input: a clear problem that names the field, and nothing half-written."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from delivery.models import Message
from koinonia.ids import encode
from koinonia.models import Broadcast, Church, Conversation, Invitation, Member

G = "/api/v1/churches/grace/"
TO = "+13125550155"
PROBLEM = "application/problem+json"
EVERYTHING = (Message, Broadcast, Conversation, Member, Invitation)

BODIES: list[tuple[str, dict[str, Any], str]] = [
    ("members/", {"first_name": "A", "last_name": "B"}, "phone"),
    ("members/", {"first_name": "A", "last_name": "", "phone": "12"}, "phone"),
    ("members/", {"first_name": "", "last_name": "", "phone": TO}, "first_name"),
    ("members/", {"first_name": "a\x00b", "last_name": "", "phone": TO}, "first_name"),
    ("members/", {"first_name": "A", "phone": TO, "groups": ["zzzz"]}, "groups"),
    ("members/", {"first_name": "A", "phone": TO, "groups": "zzzz"}, "groups"),
    ("groups/", {}, "name"),
    ("messages/", {"text": "Hi"}, "to"),
    ("messages/", {"to": TO, "conversation": "Uk", "text": "Hi"}, "conversation"),
    ("messages/", {"to": "12", "text": "Hi"}, "to"),
    ("messages/", {"member": "zzzz", "text": "Hi"}, "member"),
    ("messages/", {"member": 5, "text": "Hi"}, "member"),
    ("messages/", {"to": TO, "text": " "}, "text"),
    ("messages/", {"to": TO, "text": "x" * 1531}, "text"),
    ("messages/", {"to": TO, "text": "é€" * 400 + "ы"}, "text"),
    ("messages/", {"to": TO, "text": "Hi", "media_urls": ["ftp://x/y"]}, "media_urls"),
    ("messages/", {"to": TO, "text": "Hi", "media_urls": ["http://x/"] * 11}, "media_urls"),
    ("messages/", {"to": TO, "text": "Hi", "send_at": "yesterday"}, "send_at"),
    ("messages/", {"to": TO, "text": "Hi", "send_at": "2020-01-01T00:00:00Z"}, "send_at"),
    ("messages/", {"to": TO, "text": "Hi", "send_at": "9999-01-01T00:00:00Z"}, "send_at"),
    ("broadcasts/", {"text": "Hi"}, "audience"),
    ("broadcasts/", {"text": "Hi", "audience": {}}, "audience"),
    ("broadcasts/", {"text": "Hi", "audience": "all"}, "audience"),
    ("broadcasts/", {"text": "Hi", "audience": {"all": True, "groups": ["Uk"]}}, "audience"),
    ("broadcasts/", {"text": "Hi", "audience": {"members": ["zzzz"]}}, "audience"),
    ("broadcasts/", {"text": "Hi {name}", "audience": {"all": True}}, "text"),
    ("broadcasts/", {"text": "", "audience": {"all": True}}, "text"),
    ("invitations/", {"role": "sender"}, "email"),
    ("invitations/", {"username": "a", "email": "a@grace.example", "role": "sender"}, "username"),
    ("invitations/", {"email": "nobody", "role": "sender"}, "email"),
    ("invitations/", {"username": "a b", "role": "sender"}, "username"),
    ("invitations/", {"username": "a\x00", "role": "sender"}, "username"),
    ("invitations/", {"username": "new", "role": "king"}, "role"),
    ("invitations/", {"username": "new"}, "role"),
    ("invitations/", {"username": "grace-owner", "role": "sender"}, "username"),
    ("dead-letters/retry/", {}, "ids"),
    ("dead-letters/retry/", {"ids": ["zzzz"]}, "ids"),
]


@pytest.mark.parametrize(("path", "body", "field"), BODIES)
def test_a_bad_body_is_reported_by_field(
    owner: APIClient, anna: Member, path: str, body: dict[str, Any], field: str
) -> None:
    before = _everything()
    answer = owner.post(G + path, body, format="json")
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert field in answer.json()["errors"]
    assert _everything() == before


def test_an_empty_audience_is_reported(owner: APIClient, grace: Church) -> None:
    answer = owner.post(G + "broadcasts/", {"text": "Hi", "audience": {"all": True}}, format="json")
    assert list(answer.json()["errors"]) == ["audience"]
    assert not Broadcast.objects.exists()


QUERIES = [
    ("messages/?status=lost", "status"),
    ("messages/?direction=up", "direction"),
    ("messages/?member=zzzz", "member"),
    ("messages/?broadcast=%00", "broadcast"),
    ("messages/?since=yesterday", "since"),
    ("messages/?until=0001-01-01T00:00:00%2B14:00", "until"),
    ("members/?search=%00", "search"),
    ("members/?group=1", "group"),
    ("members/?page_size=0", "page_size"),
    ("members/?page_size=many", "page_size"),
    ("members/?cursor=nonsense", "cursor"),
    ("conversations/?cursor=Uk", "cursor"),
    ("dead-letters/?status=sent", "status"),
]


@pytest.mark.parametrize(("path", "field"), QUERIES)
def test_a_bad_query_is_reported_by_parameter(viewer: APIClient, path: str, field: str) -> None:
    answer = viewer.get(G + path)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


RAW = [
    (b"{", "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b'{"to": NaN}', "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    (b"[]", "application/json", 400),
    (b'"text"', "application/json", 400),
    (b"to=1", "application/x-www-form-urlencoded", 415),
    (b"<to/>", "application/xml", 415),
    (b" " * (2_621_440 + 1), "application/json", 413),
]


@pytest.mark.parametrize(("body", "content_type", "status"), RAW)
def test_an_unreadable_body_is_a_problem(
    sender: APIClient, body: bytes, content_type: str, status: int
) -> None:
    answer = sender.post(G + "messages/", body, content_type=content_type)
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)


@pytest.mark.parametrize("key", ["zzzz", "0", "Ukk", "a" * 500, "%00", "Uk%20", "-1"])
def test_an_unknown_id_is_not_found(owner: APIClient, anna: Member, key: str) -> None:
    assert owner.get(f"{G}members/{key}/").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "accept", "status"),
    [
        ("PUT", G + "members/", "*/*", 405),
        ("GET", G, "application/xml", 406),
        ("GET", "/api/v1/nothing/", "*/*", 404),
        ("POST", "/api/nothing", "*/*", 404),
        ("GET", "/api/v1/churches/no%20slug/", "*/*", 404),
    ],
)
def test_every_refusal_is_a_problem(
    owner: APIClient, method: str, path: str, accept: str, status: int
) -> None:
    answer = owner.generic(method, path, headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
    assert answer.json()["status"] == status
    assert answer["Cache-Control"] == "no-store"


def test_an_unexpected_error_reveals_no_details(
    owner: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("koinonia.api.views.delivery.report", fail)
    owner.raise_request_exception = False
    answer = owner.get(G + "delivery/")
    assert (answer.status_code, answer["Content-Type"]) == (500, PROBLEM)
    assert b"secret" not in answer.content
    assert "the secret of the house" in caplog.text


def test_an_item_of_another_church_is_not_found(
    owner: APIClient, hope: Church, grace: Church
) -> None:
    stranger = Member.objects.create(church=hope, first_name="H", phone=TO)
    assert owner.get(f"{G}members/{encode(stranger.pk)}/").status_code == 404
    body = {"member": encode(stranger.pk), "text": "Hi"}
    answer = owner.post(G + "messages/", body, format="json")
    assert list(answer.json()["errors"]) == ["member"]


def _everything() -> list[int]:
    return [model.objects.count() for model in EVERYTHING]
