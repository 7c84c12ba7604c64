"""The page of the API keys, without JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from koinonia.accounts import keys
from koinonia.ids import encode
from koinonia.models import AuditEntry, Church, Staff, TokenDetails
from tests.console.pages import Costs

PAGE = "/churches/grace/account/keys/"
WEBSITE = {"name": "Website", "scopes": ["send"], "church": "grace", "days": "30"}


@pytest.fixture
def signed_in(grace_viewer: User) -> Client:
    client = Client()
    client.force_login(grace_viewer)
    return client


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def make(user: User, name: str = "Website", days: float = 90, *scopes: str) -> AuthToken:
    ends = timezone.now() + timedelta(days=days)
    return keys.make(user, name, ends, scopes, still_valid=lambda: True)[0]


def test_a_key_is_shown_once_and_ends(signed_in: Client, grace_viewer: User) -> None:
    made = signed_in.post(PAGE, WEBSITE)
    secret = re.search(r'id="secret" value="([^"]+)"', made.content.decode())
    assert secret is not None
    assert "no-store" in made["Cache-Control"]
    bearer = Client(headers={"Authorization": f"Bearer {secret[1]}"})
    assert bearer.get("/api/v1/me/").status_code == 200
    assert bearer.get("/api/v1/churches/grace/messages/").status_code == 403
    page = signed_in.get(PAGE)
    assert secret[1] not in page.content.decode()
    assert secret[1][: keys.PREFIX_LENGTH] in text_of(page)
    token = AuthToken.objects.get()
    assert timedelta(days=29) < token.expiry - timezone.now() <= timedelta(days=30)
    end = f"{PAGE}{encode(token.details.pk)}/end/"
    assert "End the key “Website”?" in text_of(signed_in.get(end))
    assert bearer.get("/api/v1/me/").status_code == 200
    assert signed_in.post(end)["Location"] == PAGE
    assert bearer.get("/api/v1/me/").status_code == 401
    assert signed_in.post(end).status_code == 404
    acts = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(acts) == ["key.made", "key.ended"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"scopes": []}, "Choose at least one."),
        ({"scopes": ["admin"]}, "admin is not one of the available choices"),
        ({"church": "hope"}, "hope is not one of the available choices"),
        ({"church": ""}, "This field is required."),
        ({"days": "9999"}, "9999 is not one of the available choices"),
    ],
)
def test_a_bad_form_makes_no_key(signed_in: Client, body: dict[str, Any], sentence: str) -> None:
    refused = signed_in.post(PAGE, {**WEBSITE, **body})
    assert refused.status_code == 422
    assert sentence in text_of(refused)
    assert not AuthToken.objects.exists()


def test_a_key_is_for_the_church_of_the_page_unless_another_choice_is_made(
    signed_in: Client, grace_viewer: User, hope: Church
) -> None:
    Staff.objects.create(church=hope, user=grace_viewer, role="viewer")
    shown = text_of(signed_in.get(PAGE))
    assert "Only in Grace" in shown
    assert "Only in Hope" in shown
    assert 'value="grace" selected' in signed_in.get(PAGE).content.decode()
    for choice, name in (("grace", "Grace Church"), ("hope", "Hope Church"), ("*", None)):
        signed_in.post(PAGE, {**WEBSITE, "name": f"For {choice}", "church": choice})
        church = TokenDetails.objects.get(name=f"For {choice}").church
        assert (church and church.name) == name
    # The frame names Grace too; the chip is in the line of its key.
    [line] = re.findall(r"<li>.*?For hope.*?</li>", signed_in.get(PAGE).content.decode(), re.DOTALL)
    assert ">Hope Church<" in line


def test_a_key_with_all_rights_is_marked_and_the_page_suggests_less(
    signed_in: Client, grace_viewer: User
) -> None:
    make(grace_viewer, "Limited", 90, "read")
    assert "the least that its program needs" not in text_of(signed_in.get(PAGE))
    make(grace_viewer, "Old")
    page = text_of(signed_in.get(PAGE))
    assert page.count("All that you may do") == 2
    assert "the least that its program needs" in page


def test_keys_are_limited(signed_in: Client, grace_viewer: User) -> None:
    for _ in range(keys.MAX_KEYS):
        make(grace_viewer)
    refused = signed_in.post(PAGE, WEBSITE)
    assert refused.status_code == 422
    assert "end one first" in text_of(refused)
    assert AuthToken.objects.count() == keys.MAX_KEYS


def test_a_key_that_ends_soon_is_marked(signed_in: Client, grace_viewer: User) -> None:
    make(grace_viewer, "Calendar", 60)
    make(grace_viewer, "Short-lived", 6.5)
    assert "ends soon" not in text_of(signed_in.get(PAGE))
    website = make(grace_viewer, "Website", 60)
    AuthToken.objects.filter(pk=website.pk).update(
        created=timezone.now() - timedelta(days=50), expiry=timezone.now() + timedelta(days=6.5)
    )
    page = text_of(signed_in.get(PAGE))
    assert page.count("Ends in 7 days") == 1
    assert "A key ends soon." in page
    assert "One ends soon" in text_of(signed_in.get("/churches/grace/account/"))


def test_an_expired_key_is_listed_until_it_is_pruned(signed_in: Client, grace_viewer: User) -> None:
    now = timezone.now()
    for day in range(keys.MAX_KEYS + 2):
        token = make(grace_viewer)
        AuthToken.objects.filter(pk=token.pk).update(expiry=now - timedelta(days=2 * day, hours=1))
    make(grace_viewer, "Calendar")
    page = text_of(signed_in.get(PAGE))
    assert page.count("Expired") == keys.MAX_KEYS
    assert "1 of 20" in page
    assert "1 program works in your name." in text_of(signed_in.get("/churches/grace/account/"))
    end = f"{PAGE}{encode(keys.expired(grace_viewer)[0].details.pk)}/end/"
    assert "It has expired already" in text_of(signed_in.get(end))
    AuthToken.objects.create(user=grace_viewer, expiry=timedelta(days=-1))
    keys.prunable(now).delete()
    assert keys.expired(grace_viewer).count() == 15
    assert AuthToken.objects.count() == 16


def test_a_key_with_all_rights_and_a_login_are_named(signed_in: Client, grace_viewer: User) -> None:
    make(grace_viewer)
    AuthToken.objects.create(user=grace_viewer)
    page = text_of(signed_in.get(PAGE))
    assert "All that you may do" in page
    assert "A login of a program" in page
    assert "2 programs work in your name." in text_of(signed_in.get("/churches/grace/account/"))


def test_a_key_of_another_user_does_not_end(signed_in: Client, grace_owner: User) -> None:
    token = make(grace_owner)
    path = f"{PAGE}{encode(token.details.pk)}/end/"
    assert signed_in.get(path).status_code == signed_in.post(path).status_code == 404
    assert TokenDetails.objects.exists()


def test_the_page_costs_few_queries(signed_in: Client, grace_viewer: User, costs: Costs) -> None:
    for _ in range(5):
        make(grace_viewer, "Website", 5, "read")
    costs.of(signed_in, PAGE)
