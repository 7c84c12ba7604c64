"""API keys with scopes: the table of routes, refusals, sockets, and what a key never gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.permissions import AllowAny
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from koinonia.accounts import keys, tokens
from koinonia.api.authentication import BearerAuthentication, user_token
from koinonia.api.key_scopes import ROUTES
from koinonia.ids import encode
from koinonia.models import (
    AuditEntry,
    Church,
    Conversation,
    Group,
    KeyScope,
    Member,
    Staff,
    TokenDetails,
)
from realtime import credentials, tickets
from tests.support import cast

METHODS = ("GET", "POST", "PATCH", "DELETE")
GRACE = "/api/v1/churches/grace/"
Made = Callable[..., Client]


@pytest.fixture
def key_of(grace_owner: User) -> Made:
    """Return a client with a new key of the owner of Grace, limited to the given scopes."""

    def made(*scopes: str, user: User = grace_owner, **life: int) -> Client:
        return Client(headers={"Authorization": f"Bearer {secret(user, *scopes, **life)}"})

    return made


def secret(user: User, *scopes: str, **life: int) -> str:
    ends = timezone.now() + timedelta(**(life or {"days": 1}))
    return keys.make(user, "Website", ends, scopes, still_valid=lambda: True)[1]


def routes() -> Iterator[tuple[str, Any]]:
    """Yield the name and the view class of each route of the API."""
    [api] = [one for one in get_resolver().url_patterns if str(one.pattern) == "api/"]
    assert isinstance(api, URLResolver)
    for pattern in api.url_patterns:
        assert isinstance(pattern, URLPattern)
        yield str(pattern.name), getattr(pattern.callback, "cls", None)


def is_open(view: Any) -> bool:
    return AllowAny in getattr(view, "permission_classes", ())


def test_the_table_names_each_route_and_method() -> None:
    found = {
        name: {method for method in METHODS if hasattr(view, method.lower())}
        for name, view in routes()
        if not is_open(view)
    }
    named = {name: set(methods) for name, methods in ROUTES.items() if name in found}
    assert found == named, "Add the scope of each method to koinonia.api.key_scopes.ROUTES."
    assert ROUTES.keys() <= {name for name, _ in routes()}


def path_of(route: str, items: dict[str, str]) -> str:
    one = items.get(route, encode(999))
    for args in ([], ["grace"], ["grace", one], ["grace", one, encode(999)], [encode(999)]):
        try:
            return reverse(f"api:{route}", args=args)
        except Exception as error:
            last = error
    raise last


@pytest.fixture
def items(grace: Church, anna: Member, grace_owner: User) -> dict[str, str]:
    """Return an id for routes of one item, so that most of them answer with more than 404."""
    of_anna = Conversation.objects.create(church=grace, phone=anna.phone)
    choir = Group.objects.create(church=grace, name="Choir")
    person = ("member", "member-merge")
    talk = ("conversation", "conversation-messages", "conversation-read")
    return {
        **dict.fromkeys(person, encode(anna.pk)),
        **dict.fromkeys(talk, encode(of_anna.pk)),
        **dict.fromkeys(("group", "group-members"), encode(choir.pk)),
        "staff-member": encode(Staff.objects.get(user=grace_owner).pk),
    }


@pytest.mark.parametrize("scope", KeyScope.values)
def test_a_key_opens_exactly_the_routes_of_its_scope(
    key_of: Made, items: dict[str, str], scope: str
) -> None:
    client = key_of(scope)
    views = dict(routes())
    # The end of the key comes last.
    for route in sorted(ROUTES, key=lambda route: route == "logout"):
        if is_open(views[route]):
            continue
        for method, needed in ROUTES[route].items():
            answer = client.generic(
                method, path_of(route, items), "{}", content_type="application/json"
            )
            code = answer.json().get("code") if answer.status_code == 403 else None
            may = scope in needed
            assert (code != "insufficient_scope") == may, (route, method, answer.status_code)
            if not may:
                assert "WWW-Authenticate" in answer, (route, method)
                assert answer["Cache-Control"] == "no-store"


def test_a_refusal_names_the_scope(key_of: Made, anna: Member) -> None:
    refused = key_of("read").post(f"{GRACE}messages/", {}, content_type="application/json")
    assert refused.status_code == 403
    assert refused["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="send"'
    assert refused["Content-Type"] == "application/problem+json"
    told = refused.json()
    assert told["code"] == "insufficient_scope"
    assert "“send”" in told["detail"]
    closed = key_of("read", "send", "people").get("/api/v1/me/tokens/")
    assert closed["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
    assert "Sign in" in closed.json()["detail"]


def test_the_rights_of_a_key_are_those_of_its_user_now(
    key_of: Made, grace_sender: User, anna: Member
) -> None:
    client = key_of("people", user=grace_sender)

    def add() -> Any:
        body = {"first_name": "Ben", "last_name": "", "phone": "+13125550112"}
        return client.post(f"{GRACE}members/", body, content_type="application/json")

    assert add().status_code == 201
    Staff.objects.filter(user=grace_sender).update(role="viewer")
    assert add().status_code == 403
    assert client.get(f"{GRACE}members/").status_code == 200
    Staff.objects.filter(user=grace_sender).delete()
    assert client.get(f"{GRACE}members/").status_code == 404


def test_a_304_and_a_replay_need_the_scope_too(key_of: Made, anna: Member) -> None:
    reader, sender = key_of("read"), key_of("send")
    tag = reader.get(f"{GRACE}messages/")["ETag"]
    assert reader.get(f"{GRACE}messages/", headers={"If-None-Match": tag}).status_code == 304
    assert sender.get(f"{GRACE}messages/", headers={"If-None-Match": tag}).status_code == 403

    def post(client: Client) -> Any:
        body = {"to": anna.phone, "text": "See you"}
        once = {"Idempotency-Key": "sunday"}
        return client.post(f"{GRACE}messages/", body, content_type="application/json", headers=once)

    first = post(sender)
    assert first.status_code == 202
    assert post(reader).status_code == 403
    again = post(sender)
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")


def test_head_and_options_follow_the_table(key_of: Made, grace: Church) -> None:
    assert key_of("read").head(f"{GRACE}messages/").status_code == 200
    assert key_of("people").head(f"{GRACE}messages/").status_code == 403
    assert key_of("send").options(f"{GRACE}messages/").status_code == 200
    assert key_of("people").options(f"{GRACE}staff/").status_code == 403


def test_a_view_that_does_not_check_scopes_is_closed_to_keys(grace_owner: User) -> None:
    class Forgetful(APIView):
        pass

    Forgetful.permission_classes = []
    for scopes, expected in ((("read",), None), ((), grace_owner)):
        bearer = f"Bearer {secret(grace_owner, *scopes)}"
        request = APIRequestFactory().get("/", headers={"Authorization": bearer})
        found = BearerAuthentication().authenticate(Forgetful().initialize_request(request))
        assert (found and found[0]) == expected


def test_the_release_before_refuses_a_key_with_scopes(grace_owner: User) -> None:
    """It compares the fingerprint of a token, and does not read the scopes."""
    secret(grace_owner, "read")
    secret(grace_owner)
    limited, full = TokenDetails.objects.order_by("pk")
    assert full.fingerprint == tokens.fingerprint(grace_owner.password) != limited.fingerprint


def test_a_missing_scope_says_nothing_about_the_church(key_of: Made, hope: Church) -> None:
    """The view checks the scope before the membership: own, foreign and missing churches look alike."""
    client = key_of("send")
    told = {
        (answer.status_code, answer.content, answer["WWW-Authenticate"])
        for slug in ("grace", "hope", "nowhere")
        for answer in [client.get(f"/api/v1/churches/{slug}/members/")]
    }
    assert len(told) == 1
    assert told.pop()[0] == 403
    reader = key_of("read")
    paths = [f"/api/v1/churches/{slug}/messages/" for slug in ("hope", "nowhere")]
    assert len({reader.get(path).content for path in paths}) == 1


def test_a_changed_column_gives_no_right(grace_owner: User) -> None:
    token = secret(grace_owner, "read")
    for column, expected in (("", "refused"), ("admin", frozenset()), ("read", {"read"})):
        TokenDetails.objects.update(scopes=column)
        found = user_token(token)
        assert (found.scopes if found else "refused") == expected


def test_only_a_key_that_reads_opens_a_socket(grace_owner: User) -> None:
    assert credentials.of_bearer(secret(grace_owner, "read")) is not None
    assert credentials.of_bearer(secret(grace_owner)) is not None
    assert credentials.of_bearer(secret(grace_owner, "send", "people")) is None


@pytest.mark.parametrize("ending", ["revoked", "expired", "password"])
def test_the_end_of_a_key_ends_its_ticket_and_socket(
    key_of: Made, grace_owner: User, ending: str
) -> None:
    ticket = key_of("read").post("/api/v1/realtime/ticket/").json()["ticket"]
    credential = tickets.redeem(ticket, now=timezone.now())
    assert credential is not None
    assert credential.user() == grace_owner
    if ending == "revoked":
        assert keys.end(grace_owner, TokenDetails.objects.get().pk)
    elif ending == "expired":
        AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    else:
        grace_owner.set_password("another one, and long")
        grace_owner.save()
    assert credential.user() is None


def test_making_and_ending_a_key_is_in_the_log_of_each_church(
    grace: Church, hope: Church, grace_sender: User
) -> None:
    Staff.objects.create(church=hope, user=grace_sender, role="viewer")
    token = secret(grace_sender, "send", "read")
    assert keys.end(grace_sender, TokenDetails.objects.get().pk)
    assert not keys.end(grace_sender, None)
    for church in (grace, hope):
        made, ended = AuditEntry.objects.filter(church=church).order_by("pk")
        assert (made.action, ended.action) == ("key.made", "key.ended")
        assert made.subject_label == ended.subject_label == "Website"
        assert made.detail["scopes"] == ["read", "send"]
        assert token[: keys.PREFIX_LENGTH] == made.detail["key"]
        assert token not in str(made.detail)


def test_scopes_are_asked_and_answered_by_the_api(grace_owner: User) -> None:
    client = Client(headers={"Authorization": f"Bearer {secret(grace_owner)}"})

    def make(**body: Any) -> Any:
        body = {"name": "Website", **body}
        return client.post("/api/v1/me/tokens/", body, content_type="application/json")

    made = make(scopes=["people", "read", "read"])
    assert (made.status_code, made.json()["scopes"]) == (201, ["read", "people"])
    assert made.json()["token"].startswith(made.json()["prefix"])
    assert make(scopes=None).json()["scopes"] is None
    assert make().json()["scopes"] is None
    for bad in ([], ["admin"], "read", {"read": True}, 5):
        refused = make(scopes=bad)
        assert refused.status_code == 400, bad
        assert [name.split(".")[0] for name in refused.json()["errors"]] == ["scopes"], bad
    assert [one["scopes"] for one in client.get("/api/v1/me/tokens/").json()["results"]] == [
        None, None, ["read", "people"], None,
    ]  # fmt: skip


def test_a_key_with_scopes_makes_and_ends_no_keys(key_of: Made, grace_owner: User) -> None:
    client = key_of("read", "send", "people")
    body = {"name": "More"}
    made = client.post("/api/v1/me/tokens/", body, content_type="application/json")
    assert made.status_code == 403
    mine = TokenDetails.objects.get()
    assert client.delete(f"/api/v1/me/tokens/{encode(mine.pk)}/").status_code == 403
    assert client.get("/api/v1/me/").status_code == 200
    # It may end itself.
    assert client.post("/api/v1/auth/logout/").status_code == 204
    assert client.get("/api/v1/me/").status_code == 401


def test_the_schema_names_the_scope_of_each_operation(grace_owner: User) -> None:
    from drf_spectacular.generators import SchemaGenerator

    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # untyped upstream
    church = "/api/v1/churches/{church}/"
    told = {
        (path, verb): schema["paths"][path][verb]["description"].rsplit("\n", 1)[-1]
        for path, verb in (
            (f"{church}messages/", "post"), (f"{church}staff/", "get"), ("/api/v1/me/", "get"),
        )
    }  # fmt: skip
    assert list(told.values()) == [
        "Scope of an API key: `send`.",
        "Closed to API keys with scopes.",
        "Scope of an API key: any.",
    ]
    assert "`people`" in schema["components"]["securitySchemes"]["bearer"]["description"]


def test_the_cast_may_not_guess_a_key(grace_owner: User) -> None:
    token = secret(grace_owner, "read")
    for wrong in (token[:-1], token[:15], token.upper(), f"{token}0", cast.PASSWORD):
        client = Client(headers={"Authorization": f"Bearer {wrong}"})
        assert client.get("/api/v1/me/").status_code == 401
