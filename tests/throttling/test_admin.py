from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django.fixtures import Settings

from tests.throttling.conftest import set_policies
from throttling import limits, shared_buckets
from throttling.buckets import BucketStore
from throttling.buckets.bucket import BucketState
from throttling.inspection import BucketReport
from throttling.models import Allowance
from throttling.policies import Policy
from throttling.rates import parse

pytestmark = pytest.mark.django_db

STATE = "/admin/throttling/throttlestate/"
ADD = "/admin/throttling/allowance/add/"


@pytest.fixture
def support(api: Client, settings: Settings) -> Client:
    # The limits are so slow that no token is refilled during the test.
    set_policies(settings, api="200/d", anon="60/d")
    user = User.objects.create_user("support", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="throttling"))
    api.force_login(user)
    return api


def _form(**over: str) -> dict[str, str]:
    empty = {"user": "", "network": "", "token": "", "policies": "", "note": "The office"}
    return {**empty, "expires_at_0": "", "expires_at_1": "", **over}


def test_support_exempts_a_network_and_the_entry_records_its_author(support: Client) -> None:
    answer = support.post(ADD, _form(network="203.0.113.7/24", policies="messages,api"))
    assert answer.status_code == 302
    row = Allowance.objects.get()
    assert (row.network, row.policies) == ("203.0.113.0/24", "api,messages")
    assert row.created_by is not None
    assert row.created_by.username == "support"


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ({}, "exactly one"),
        ({"network": "nonsense"}, "neither an IP address nor a CIDR"),
        ({"network": "10.0.0.0/8", "token": "abc"}, "exactly one"),
        ({"token": "abc", "policies": "nonsense"}, "No policy is called nonsense"),
    ],
)
def test_a_wrong_entry_is_explained(support: Client, over: dict[str, str], told: str) -> None:
    assert told in support.post(ADD, _form(**over)).content.decode()
    assert not Allowance.objects.exists()


def test_a_user_is_named_by_the_user_name(support: Client) -> None:
    # Support may not list the users.
    User.objects.create(username="grace-sender")
    support.post(ADD, _form(user="grace-sender"))
    row = Allowance.objects.get()
    assert str(row) == "user grace-sender (all policies)"
    page = f"/admin/throttling/allowance/{row.pk}/change/"
    assert 'value="grace-sender"' in support.get(page).content.decode()
    assert support.post(page, _form(user="grace-sender", note="Easter")).status_code == 302
    row.refresh_from_db()
    assert (str(row), row.note) == ("user grace-sender (all policies)", "Easter")


@pytest.mark.parametrize("name", ["nobody", "1", "\0"])
def test_an_unknown_user_is_explained(support: Client, name: str) -> None:
    assert "No user is called" in support.post(ADD, _form(user=name)).content.decode()


def test_the_allowlist_shows_subject_and_note(support: Client) -> None:
    Allowance.objects.create(token="key-of-1", note="Nightly import")
    page = support.get("/admin/throttling/allowance/").content.decode()
    assert "token key-of-1" in page
    assert "Nightly import" in page


def test_the_buckets_of_a_user_are_shown(support: Client) -> None:
    user = User.objects.create(username="grace-sender")
    limits.charge("api", str(user.pk), cost=50)
    page = support.get(STATE, {"name": "grace-sender"}).content.decode()
    assert f"api:{user.pk}" in page
    assert "150 of 200" in page


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        ("1000/m:200", "1,000 a minute, at most 200 at once, for each user"),
        ("20/15m", "20 in 15 minutes, for each user"),
        ("10/h", "10 an hour, for each user"),
    ],
)
def test_a_limit_is_told_in_words(rate: str, words: str) -> None:
    policy = Policy("api", parse(rate), "user")
    assert BucketReport("api:1", policy, BucketState(True, 1, 0, 0)).limit == words


def test_the_buckets_of_an_address_are_shown(support: Client) -> None:
    limits.charge("anon", "203.0.113.9", cost=60)
    page = support.get(STATE, {"address": "203.0.113.9"}).content.decode()
    assert "0 of 60" in page
    assert re.search(r"in 14[34]\d s", page)


def test_the_most_refused_buckets_are_shown(support: Client) -> None:
    for _ in range(3):
        limits.charge("anon", "203.0.113.9", cost=60)
    page = support.get(STATE).content.decode()
    assert "anon:203.0.113.9" in page


def test_a_refused_user_is_shown_by_name(support: Client) -> None:
    user = User.objects.create(username="grace-sender")
    for key in (str(user.pk), "nonsense"):
        for _ in range(2):
            limits.charge("api", key, cost=200)
    page = support.get(STATE).content.decode()
    assert '<a href="?name=grace-sender">grace-sender</a>' in page
    assert "api:nonsense" in page


def test_filling_a_bucket_is_recorded_with_its_author(support: Client, store: BucketStore) -> None:
    limits.charge("anon", "203.0.113.9", cost=60)
    answer = support.post(STATE, {"bucket": ["anon:203.0.113.9"]}, follow=True)
    assert "1 bucket filled." in answer.content.decode()
    assert limits.charge("anon", "203.0.113.9").allowed
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.user.username) == ("anon:203.0.113.9", "support")


@pytest.mark.parametrize("given", [{}, {"bucket": ["nonsense:x", "anon:\0"]}])
def test_filling_no_bucket_warns_and_records_nothing(
    support: Client, given: dict[str, list[str]]
) -> None:
    assert "No bucket was chosen" in support.post(STATE, given, follow=True).content.decode()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("field", ["name", "address", "bucket"])
@pytest.mark.parametrize("text", ["\0", "anon:\0", "a" * 10_000, "\ud800", "*", "fe80::1%eth0"])
def test_the_page_answers_any_search_text(support: Client, field: str, text: str) -> None:
    query = urlencode({field: text}, errors="surrogatepass")
    assert support.get(f"{STATE}?{query}").status_code == 200


def test_without_the_right_to_change_nothing_can_be_filled(support: Client) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_throttlestate"))
    support.force_login(viewer)
    limits.charge("anon", "203.0.113.9", cost=60)
    assert "Fill the chosen" not in support.get(STATE, {"address": "203.0.113.9"}).content.decode()
    assert support.post(STATE, {"bucket": ["anon:203.0.113.9"]}).status_code == 403
    assert not limits.charge("anon", "203.0.113.9").allowed


def test_without_any_right_the_state_is_not_shown(support: Client) -> None:
    support.force_login(User.objects.create_user("nobody", is_staff=True))
    assert support.get(STATE).status_code == 403


def test_the_page_says_so_when_redis_is_away(support: Client, settings: Settings) -> None:
    settings.CACHES = {
        **settings.CACHES,
        "throttling": {**settings.CACHES["throttling"], "LOCATION": "unix:///nowhere?db=2"},
    }
    assert "Redis does not answer" in support.get(STATE).content.decode()
    answer = support.post(STATE, {"bucket": ["anon:x"]}, follow=True)
    assert "nothing changed" in answer.content.decode()
    assert shared_buckets.store().client is not None
