"""API keys of one church: every other church is a 404, on the socket too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from koinonia.accounts import keys
from koinonia.api.authentication import user_token
from koinonia.api.key_scopes import OF_A_CHURCH, ROUTES
from koinonia.models import AuditEntry, Church, Staff, TokenDetails
from realtime import credentials
from realtime.authorization import may_listen
from tests.koinonia.api.test_key_scopes import routes, secret

CHURCHES = "/api/v1/churches/"


def bound(user: User, church: Church, *scopes: str) -> str:
    ends = timezone.now() + timedelta(days=1)
    return keys.make(user, "Website", ends, scopes or ("read",), church, still_valid=lambda: True)[
        1
    ]


def client_of(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def owner_of_both(grace_owner: User, hope: Church) -> User:
    Staff.objects.create(church=hope, user=grace_owner, role="owner")
    return grace_owner


def test_another_church_of_the_user_looks_like_a_missing_one(
    owner_of_both: User, grace: Church
) -> None:
    client = client_of(bound(owner_of_both, grace, "read", "people"))
    for page in ("", "messages/", "members/", "events/"):
        assert client.get(f"{CHURCHES}grace/{page}").status_code == 200, page
        hope, nowhere = (client.get(f"{CHURCHES}{slug}/{page}") for slug in ("hope", "nowhere"))
        assert (hope.status_code, hope.content) == (404, nowhere.content), page


def test_the_lists_of_churches_show_the_one_of_the_key(owner_of_both: User, hope: Church) -> None:
    whole, part = (
        client_of(secret(owner_of_both, "read")),
        client_of(bound(owner_of_both, hope)),
    )
    for path, name in ((CHURCHES, "results"), ("/api/v1/me/", "churches")):
        assert [one["slug"] for one in part.get(path).json()[name]] == ["hope"]
        tag = whole.get(path)["ETag"]
        assert part.get(path, headers={"If-None-Match": tag}).status_code == 200
        tag = part.get(path)["ETag"]
        assert part.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_a_route_outside_a_church_is_closed_unless_the_list_names_it(
    owner_of_both: User, grace: Church
) -> None:
    client = client_of(bound(owner_of_both, grace, "read", "send", "people"))
    refused = client.get("/api/v1/me/events/")
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert client.post("/api/v1/realtime/ticket/").status_code == 200
    below = {name for name, view in routes() if hasattr(view, "write_role")}
    assert ROUTES.keys() - below >= OF_A_CHURCH


def test_a_socket_hears_the_church_of_the_key_alone(owner_of_both: User, grace: Church) -> None:
    for token in (bound(owner_of_both, grace), secret(owner_of_both, "read")):
        credential = credentials.of_bearer(token)
        assert credential is not None
        streams = ("church:grace", "church:hope", f"user:{owner_of_both.pk}")
        heard = [may_listen(credential, key) for key in streams]
        assert heard == [True, *[not user_token(token).church_id] * 2]  # type: ignore[union-attr] # a valid token


def test_the_api_makes_a_key_of_one_church(owner_of_both: User, grace: Church) -> None:
    Church.objects.create(slug="other", name="Other", phone_number="+13125550300")
    client = client_of(secret(owner_of_both))

    def make(**body: Any) -> Any:
        body = {"name": "Website", "scopes": ["read"], **body}
        return client.post("/api/v1/me/tokens/", body, content_type="application/json")

    made = make(church="grace")
    assert (made.status_code, made.json()["church"]) == (201, "grace")
    assert [one["church"] for one in client.get("/api/v1/me/tokens/").json()["results"]] == [
        "grace", None,
    ]  # fmt: skip
    assert make().json()["church"] is None
    assert make(church="grace", scopes=None).json()["errors"].keys() == {"scopes"}
    foreign, missing = make(church="other"), make(church="nowhere")
    assert (foreign.status_code, foreign.content) == (400, missing.content)
    assert make(church=5).status_code == 400
    acts = AuditEntry.objects.filter(detail__key=made.json()["prefix"])
    assert [one.church for one in acts] == [grace]


def test_a_key_ends_with_its_church(owner_of_both: User, hope: Church) -> None:
    token = bound(owner_of_both, hope)
    hope.delete()
    assert user_token(token) is None
    assert not TokenDetails.objects.filter(church__isnull=False).exists()


def test_a_church_that_is_gone_without_a_trace_opens_nothing(
    owner_of_both: User, hope: Church
) -> None:
    token = bound(owner_of_both, hope)
    TokenDetails.objects.update(church=10**6)
    client = client_of(token)
    assert client.get(f"{CHURCHES}grace/").status_code == 404
    assert client.get(CHURCHES).json()["results"] == []
    credential = credentials.of_bearer(token)
    assert credential is not None
    assert not may_listen(credential, "church:grace")


def test_a_key_whose_church_is_taken_from_the_column_is_refused(
    owner_of_both: User, hope: Church
) -> None:
    """A release that does not know the column refuses it for the same reason."""
    token = bound(owner_of_both, hope)
    TokenDetails.objects.update(church=None)
    assert user_token(token) is None
    assert AuthToken.objects.filter(user=owner_of_both).exists()
