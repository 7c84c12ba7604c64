"""Lists of texts by time, cursors of the release before, and texts of deleted users."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from sqids import Sqids

from delivery.models import Message
from koinonia.ids import encode
from koinonia.models import Church
from tests.support import cast

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
URL = "/api/v1/churches/grace/"


@pytest.fixture
def browser(grace_owner: User) -> Client:
    client = Client()
    client.force_login(grace_owner)
    return client


def texts(church: Church, *ages: int, **over: Any) -> list[Message]:
    """Create delivered texts of these ages in days, in this order."""
    return [
        Message.objects.create(
            tenant=church, to_number="+13125550001", from_number="+13125550100", text="Hello",
            created_at=NOW - timedelta(days=age), updated_at=NOW, next_attempt_at=NOW,
            **{"status": "delivered", **over},
        )
        for age in ages
    ]  # fmt: skip


def listed(browser: Client, path: str) -> list[str]:
    return [row["id"] for row in browser.get(URL + path).json()["results"]]


def test_texts_are_listed_by_time_and_a_period_selects_them(browser: Client, grace: Church) -> None:
    old, middle, new = (encode(text.pk) for text in texts(grace, 300, 20, 1))
    assert listed(browser, "messages/") == [new, middle, old]
    day = f"{NOW - timedelta(days=20):%Y-%m-%dT%H:%M:%SZ}"
    assert listed(browser, f"messages/?until={day}") == [old]
    assert listed(browser, f"messages/?since={day}") == [new, middle]


def test_a_cursor_of_the_release_before_goes_on_behind_its_text(
    browser: Client, grace: Church
) -> None:
    keys = [text.pk for text in texts(grace, 4, 3, 2, 1)]
    forward, back = (Sqids(blocklist=[]).encode([way, keys[2]]) for way in (0, 1))
    assert listed(browser, f"messages/?cursor={forward}") == [encode(keys[1]), encode(keys[0])]
    assert listed(browser, f"messages/?cursor={back}") == [encode(keys[3])]
    unknown = Sqids(blocklist=[]).encode([0, keys[3] + 1000])
    assert browser.get(f"{URL}messages/?cursor={unknown}").status_code == 400


def test_texts_of_one_broadcast_time_are_paged_without_gap_or_repeat(
    browser: Client, grace: Church
) -> None:
    keys = [encode(text.pk) for text in texts(grace, *[1] * 7)]
    seen, url = [], f"{URL}messages/?page_size=3"
    while url:
        page = browser.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert seen == keys[::-1]


def test_the_texts_of_a_member_keep_their_cursors(browser: Client, grace: Church) -> None:
    anna = cast.member(grace, "Anna", "+13125550001")
    keys = [encode(text.pk) for text in texts(grace, 3, 2, 1, recipient=anna)]
    page = browser.get(f"{URL}messages/?member={encode(anna.pk)}&page_size=2").json()
    rest = browser.get(page["next"]).json()
    assert [row["id"] for row in page["results"] + rest["results"]] == keys[::-1]


def test_a_text_outlives_its_author_and_names_nobody(browser: Client, grace: Church) -> None:
    author = User.objects.create_user("paul")
    (text,) = texts(grace, 1, author=author)
    url = f"{URL}messages/{encode(text.pk)}/"
    before = browser.get(url)
    assert before.json()["author"]["name"] == "paul"
    author.delete()
    after = browser.get(url, headers={"if-none-match": before.headers["ETag"]})
    assert (after.status_code, after.json()["author"]) == (200, None)
    assert browser.get(f"{URL}messages/").json()["results"][0]["author"] is None
    for fields in ("author", "author.id", "author.name"):
        assert browser.get(f"{URL}messages/?fields={fields}").json()["results"] == [
            {"author": None}
        ]


def test_a_dead_letter_outlives_the_person_who_reviewed_it(browser: Client, grace: Church) -> None:
    paul = User.objects.create_user("paul")
    (letter,) = texts(grace, 1, status="dead", dead_since=NOW, reviewed_by=paul)
    assert browser.get(f"{URL}dead-letters/").json()["results"][0]["reviewed_by"] is not None
    paul.delete()
    assert browser.get(f"{URL}dead-letters/").json()["results"][0]["reviewed_by"] is None
    desk = Client()
    desk.force_login(User.objects.create_superuser("desk"))
    page = desk.get(f"/admin/delivery/deadletter/{letter.pk}/change/")
    assert page.status_code == 200
