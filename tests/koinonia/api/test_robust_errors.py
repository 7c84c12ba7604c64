"""Odd input in any field, header or cookie gets a readable answer, and never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given
from hypothesis import settings as law
from hypothesis import strategies as st
from rest_framework import exceptions
from rest_framework.test import APIClient

from httpopt.renderers import OrjsonRenderer
from koinonia import ids
from koinonia.api import problems
from koinonia.models import Church, Member
from tests.httpopt.church_data import fill_church

G = "/api/v1/churches/grace/"
PROBLEM = "application/problem+json"
ODD = ["\ud800", "a\udfffb", "\x00", "a\x00b", "\u202eabc", "\x1b[31m", "\ufffe", "x" * 5000]


@pytest.mark.parametrize("odd", ODD, ids=map(str, range(len(ODD))))
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("members/", "first_name"), ("members/", "last_name"), ("members/", "phone"),
        ("members/", "groups"), ("members/", "opted_out"), ("groups/", "name"),
        ("messages/", "to"), ("messages/", "text"), ("messages/", "member"),
        ("messages/", "media_urls"), ("messages/", "send_at"), ("broadcasts/", "audience"),
        ("broadcasts/", "text"), ("invitations/", "username"), ("invitations/", "role"),
        ("invitations/", "email"), ("dead-letters/retry/", "ids"),
        ("dead-letters/retry/", "filter"), ("dead-letters/retry/", "may_double"),
        ("members/", ODD[0]), ("members/", ODD[2]),
    ],
    ids=lambda value: ascii(value),
)  # fmt: skip
def test_an_odd_value_in_any_field_is_reported_in_printable_letters(
    owner: APIClient, grace: Church, path: str, field: str, odd: str
) -> None:
    owner.raise_request_exception = False
    for value in (odd, [odd], {odd: odd}, {"code": odd, "groups": [odd]}):
        body = json.dumps({field: value})
        answer = owner.post(G + path, body, content_type="application/json")
        assert answer.status_code in (400, 201), answer.content
        told = json.dumps(json.loads(answer.content), ensure_ascii=False)
        told.encode()
        assert len(answer.content) < 8000


@pytest.mark.parametrize(
    "detail",
    [
        "\ud800", ["\udfff"], {"\ud800": ["\ud800"]}, {"a": {"b": [{"c": "\ud800"}]}},
        {1: [2], "": [""]}, [["a"], ["b"]], {"a": []}, {}, [], 7, {"a": ["x"] * 500},
        {f"n{number}": ["x"] for number in range(500)}, ["x" * 90_000],
    ],
)  # fmt: skip
def test_every_error_detail_becomes_a_problem(detail: Any) -> None:
    for made in (exceptions.ValidationError, exceptions.ParseError, exceptions.NotFound):
        error = made()
        error.detail = detail
        status, content = answered(error)
        assert json.loads(content)["status"] == status
        assert len(content) < 20_000


def answered(error: Exception) -> tuple[int, bytes]:
    answer: Any = problems.exception_handler(error, {})
    answer.accepted_renderer = OrjsonRenderer()
    answer.accepted_media_type, answer.renderer_context = "application/json", {}
    return answer.status_code, answer.render().content


@law(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.text() | st.integers() | st.characters(categories=["Cs"]),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_nested_error_detail_becomes_a_problem(detail: Any) -> None:
    error = exceptions.ValidationError()
    error.detail = detail
    json.loads(answered(error)[1])


def test_a_problem_is_json_if_its_page_fails(
    owner: APIClient, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no page")

    monkeypatch.setattr("koinonia.api.browsable.BrowsableRenderer.render", fail)
    answer = owner.get(f"{G}members/zzzz/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_the_renderer_writes_lone_surrogates() -> None:
    assert json.loads(OrjsonRenderer().render({"a": "\ud800"})) == {"a": "\ud800"}


COOKIES = [
    'sessionid="\\000\\000\\000\\000\\000\\000\\000\\000\\000"',
    'sessionid="abcdefgh\\000"',
    "sessionid=" + "a" * 4000,
    "sessionid=é" * 20,
    'csrftoken="\\000"; sessionid="\\ud800"',
    'messages="\\000"',
    "=; ;;; a; sessionid",
    'sessionid="\\377\\377\\377\\377\\377\\377\\377\\377"',
]


@pytest.mark.django_db
@pytest.mark.parametrize("cookie", COOKIES, ids=map(str, range(len(COOKIES))))
@pytest.mark.parametrize("path", ["/api/v1/me/", "/", "/login/", "/admin/", "/admin/login/"])
def test_an_odd_cookie_is_anonymous(grace: Church, cookie: str, path: str) -> None:
    client = Client(raise_request_exception=False)
    answer = client.get(path, headers={"Cookie": cookie})
    assert answer.status_code in (200, 302, 401)
    given = {"username": "x", "password": "y"}
    assert client.post(path, given, headers={"Cookie": cookie}).status_code < 500


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "x" * 5000, "\u202e", "", " ", "é" * 200])
def test_an_odd_user_name_is_unknown(name: str) -> None:
    client = Client(raise_request_exception=False)
    for password in ("x", "\x00", "\ud800"):
        given = json.dumps({"username": name, "password": password})
        answer = client.post("/api/v1/auth/login/", given, content_type="application/json")
        assert answer.status_code in (400, 401, 429), answer.content
    for page in ("/login/", "/admin/login/"):
        form = {"username": name.replace("\ud800", ""), "password": "\x00"}
        assert client.post(page, form).status_code in (200, 429)


KEYS = ["a" * 300, "U" * 13, "%00", "%ED%A0%80", "%FF", "é", "0", "-1", "1e9", "..", "Uk%00", " "]


@pytest.mark.parametrize("key", KEYS)
def test_an_odd_id_is_not_found(
    owner: APIClient, grace: Church, grace_owner: User, key: str
) -> None:
    fill_church(grace, grace_owner)
    owner.raise_request_exception = False
    documented: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # drf-spectacular's
    for path, verbs in documented["paths"].items():
        if "{" not in path or path.endswith("/events/"):
            continue
        for verb in verbs:
            found = path.format(church="grace", id=key, token=key, delivery=key)
            answer = owner.generic(verb.upper(), found, "{}", content_type="application/json")
            assert answer.status_code < 500, (verb, path, answer.content)
        slug = path.format(church=key, id="Uk", token=key, delivery="Uk")
        assert owner.get(slug).status_code < 500


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()) | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
NAMES = {
    "members/": ["first_name", "last_name", "phone", "groups", "opted_out"],
    "groups/": ["name"],
    "messages/": ["to", "member", "conversation", "text", "media_urls", "send_at", "expires_at"],
    "broadcasts/": ["text", "audience", "send_at", "expires_at"],
    "invitations/": ["email", "username", "role"],
    "dead-letters/retry/": ["ids", "filter", "may_double"],
}


@law(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(path=st.sampled_from(sorted(NAMES)), data=st.data())
def test_any_json_is_answered(
    owner: APIClient, anna: Member, path: str, data: st.DataObject
) -> None:
    owner.raise_request_exception = False
    given_ = data.draw(st.dictionaries(st.sampled_from(NAMES[path]), JSONS))
    body = json.dumps(given_)
    answer = owner.post(G + path, body, content_type="application/json")
    assert answer.status_code < 500, answer.content
    if path in ("members/", "groups/"):
        key = ids.encode(anna.pk)
        answer = owner.patch(f"{G}members/{key}/", body, content_type="application/json")
        assert answer.status_code < 500, answer.content
