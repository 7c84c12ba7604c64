"""Bounds of requests: the answer names the field that exceeds its bound."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from delivery.models import Message
from koinonia import ids
from koinonia.models import Broadcast, Church, Group, Member
from tests.support import cast

G = "/api/v1/churches/grace/"
TO = "+13125550155"


def keys(number: int, start: int = 10**6) -> list[str]:
    return [ids.encode(start + key) for key in range(number)]


def groups_of(grace: Church, number: int) -> list[str]:
    made = Group.objects.bulk_create(
        [Group(church=grace, name=f"Group {place}") for place in range(number)]
    )
    return [ids.encode(group.pk) for group in made]


TOO_MANY = [
    ("members/", {"first_name": "A", "phone": TO, "groups": keys(101)}, "groups", "100"),
    ("broadcasts/", {"text": "Hi", "audience": {"groups": keys(101)}}, "audience", "100"),
    ("broadcasts/", {"text": "Hi", "audience": {"members": keys(5001)}}, "audience", "5000"),
    ("dead-letters/retry/", {"ids": keys(1001)}, "ids", "1000"),
    ("messages/", {"to": TO, "text": "Hi", "media_urls": ["x"] * 11}, "media_urls", "10"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "field", "most"), TOO_MANY)
def test_too_many_are_refused_by_their_field_and_the_bound(
    owner: APIClient, anna: Member, path: str, body: dict[str, Any], field: str, most: str
) -> None:
    answer = owner.post(G + path, body, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert most in answer.json()["errors"][field][0]
    assert len(answer.content) < 2000


def test_a_list_of_a_whole_body_is_refused_by_its_field(owner: APIClient, anna: Member) -> None:
    path = f"{G}members/{ids.encode(anna.pk)}/"
    answer = owner.patch(path, {"groups": keys(250_000)}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["groups"])


def test_a_patch_is_bounded_too(owner: APIClient, anna: Member) -> None:
    path = f"{G}members/{ids.encode(anna.pk)}/"
    answer = owner.patch(path, {"groups": keys(101)}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["groups"])


def test_repetitions_do_not_count(owner: APIClient, grace: Church, anna: Member) -> None:
    groups = groups_of(grace, 100)
    path = f"{G}members/{ids.encode(anna.pk)}/"
    assert owner.patch(path, {"groups": groups * 40}, format="json").status_code == 200
    assert anna.groups.count() == 100

    audience = {"members": [ids.encode(anna.pk)] * 8000, "groups": groups * 3}
    answer = owner.post(G + "broadcasts/", {"text": "Hi", "audience": audience}, format="json")
    assert answer.status_code == 202
    assert Message.objects.count() == 1
    kept = Broadcast.objects.get().audience
    assert (len(kept["members"]), len(kept["groups"])) == (1, 100)


def test_as_many_as_the_bound_allows_are_accepted(owner: APIClient, grace: Church) -> None:
    Member.objects.bulk_create(
        Member(church=grace, first_name="M", phone=f"+1312556{place:04}") for place in range(300)
    )
    chosen = [ids.encode(key) for key in Member.objects.values_list("pk", flat=True)]
    audience = {"members": chosen}
    answer = owner.post(G + "broadcasts/", {"text": "Hi", "audience": audience}, format="json")
    assert (answer.status_code, answer.json()["total"]) == (202, 300)


SHAPES = {
    "deep lists": b'{"text":' + b"[" * 30 + b"]" * 30 + b"}",
    "deep objects": b'{"text":' + b'{"a":' * 30 + b"1" + b"}" * 31,
    "very deep": b"[" * 90_000,
    "many keys": json.dumps({f"k{place}": 1 for place in range(1001)}).encode(),
    "many keys far within": json.dumps({"to": [{"a": 1, "b": 2}] * 600}).encode(),
    "many values": b'{"to":[' + b"1," * 600_000 + b"1]}",
    "many digits": b'{"to":' + b"1" * 21 + b"}",
    "many digits below zero": b'{"to":-' + b"1" * 21 + b"}",
    "more digits than Python reads": b'{"to":' + b"1" * 5000 + b"}",
    "a long fraction": b'{"to":0.' + b"1" * 100 + b"}",
    "an infinity": b'{"to":1e999}',
    "NaN": b'{"to":NaN}',
    "Infinity": b'{"to":-Infinity}',
    "one key twice": b'{"to":"+13125550155","text":"a","text":"b"}',
    "one key twice within": b'{"text":"a","audience":{"all":false,"all":true}}',
    "a byte order mark": b'\xef\xbb\xbf{"to":"+13125550155","text":"a"}',
    "UTF-16": '{"to":"+13125550155","text":"a"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"to":"+13125550155","text":"a"}'.encode("utf-16-le"),
    "UTF-32": '{"to":"+13125550155","text":"a"}'.encode("utf-32"),
    "Latin-1": '{"to":"+13125550155","text":"é"}'.encode("latin-1"),
    "a surrogate's bytes": b'{"to":"+13125550155","text":"\xed\xa0\x80"}',
    "two values": b'{"to":"+13125550155","text":"a"}{}',
    "a comma at the end": b'{"to":"+13125550155","text":"a",}',
    "a comment": b'{"to":"+13125550155","text":"a"} // hello',
    "a control character": b'{"to":"+13125550155","text":"a\x01"}',
    "nothing": b" ",
    "null": b"null",
    "a number": b"7",
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("path", ["messages/", "broadcasts/"])
def test_json_of_an_odd_shape_is_a_problem(owner: APIClient, name: str, path: str) -> None:
    answer = owner.post(G + path, SHAPES[name], content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["detail"]
    assert not Message.objects.exists()


CHARSETS = ["utf-16", "latin-1", "zlib", "hex", "base64", "rot13", "idna", "undefined"]


@pytest.mark.parametrize("charset", CHARSETS)
def test_json_is_utf8_for_any_charset(sender: APIClient, grace: Church, charset: str) -> None:
    """Cover Python's "charsets" that unpack: a small body would become a large one."""
    body = json.dumps({"to": TO, "text": "Hi ł"}, ensure_ascii=False).encode()
    answer = sender.post(G + "messages/", body, content_type=f"application/json; charset={charset}")
    assert (answer.status_code, answer.json()["text"]) == (202, "Hi ł")


def test_an_error_is_short_for_any_length_of_input(owner: APIClient, grace: Church) -> None:
    for body in (
        {"username": "new", "role": "x" * 90_000},
        {"to": TO, "member": "x" * 90_000},
        {"x" * 90_000: 1},
        {"to": "9" * 90_000},
        {"audience": ["x"] * 9000},
    ):
        for path in ("invitations/", "messages/", "broadcasts/", "members/"):
            answer = owner.post(G + path, body, format="json")
            assert answer.status_code == 400
            assert len(answer.content) < 8000


HEADERS = [
    ("Accept", "a/b," * 4000),
    ("Accept", "application/json;q=" + "0" * 12_000),
    ("Accept", "text/html;charset*=nonsense''%ff"),
    ("Accept", 'text/html;a="' + "x" * 12_000),
    ("Accept", ";;;"),
    ("Accept", "\xff\xfe"),
    ("Accept-Encoding", "gzip," * 3000),
    ("Accept-Language", "en," * 5000),
    ("If-None-Match", '"a",' * 4000),
    ("If-None-Match", "W/" * 8000),
    ("If-Match", '"a",' * 4000),
    ("Authorization", "Bearer " + "a" * 15_000),
    ("Authorization", "Bearer \x00"),
    ("Authorization", "Bearer é"),
    ("Authorization", "Basic " + "a" * 100),
    ("Cookie", "a=b; " * 3000),
    ("Idempotency-Key", "a" * 15_000),
    ("X-Forwarded-For", "1.1.1.1," * 2000),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), HEADERS, ids=map(str, range(len(HEADERS))))
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_long_or_odd_header_causes_no_server_error(
    grace: Church, grace_owner: Any, as_user: Any, verb: str, name: str, value: str
) -> None:
    client = as_user(grace_owner)
    cast.member(grace, "Anna", "+13125550111")
    client.raise_request_exception = False
    content_type = value if name == "Content-Type" else "application/json"
    headers = {} if name == "Content-Type" else {name: value}
    answer = client.generic(
        verb, G + "groups/", b'{"name": "Choir"}' if verb == "POST" else b"",
        content_type=content_type, headers=headers,
    )  # fmt: skip
    assert answer.status_code < 500, answer.content


QUERIES = [
    "fields=" + "id," * 3000,
    "fields=" + "id(" * 600,
    "fields=" + "id&fields=" * 900,
    "a=1&" * 999,
    "a=1&" * 2000,
    "cursor=" + "U" * 9000,
    "page_size=" + "9" * 9000,
    "page_size=٣",
    "search=" + "a+" * 4000,
    "search=%ED%A0%80",
    "search=%FF%FE",
    "group=%00",
    "group=" + "U" * 5000,
    "%00=%00",
    "a" * 9000,
]


@pytest.mark.parametrize("query", QUERIES, ids=map(str, range(len(QUERIES))))
def test_a_long_or_odd_query_causes_no_server_error(viewer: APIClient, query: str) -> None:
    viewer.raise_request_exception = False
    for kind in ("members", "messages", "groups", "dead-letters", "dead-letters/export"):
        assert viewer.get(f"{G}{kind}/?{query}").status_code < 500, kind
