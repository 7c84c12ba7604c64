"""Lists of the admin over a long history."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from delivery.admin import bounded
from delivery.models import Message
from koinonia.models import Church
from tests.delivery.dead_letters.conftest import NOW, MakeLetter

pytestmark = pytest.mark.django_db

LIST = "/admin/delivery/deadletter/"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MOST", 60)
    monkeypatch.setattr(bounded, "_LATEST", 60)


def shown(client: Client, query: str = "") -> list[int]:
    return [letter.pk for letter in client.get(LIST + query).context["cl"].result_list]


def letters(letter: MakeLetter, number: int) -> list[int]:
    """Create dead and unknown letters in turn, the newest last."""
    made = [
        letter(("dead", "unknown")[n % 2], updated_at=NOW + timedelta(seconds=n)).pk
        for n in range(number)
    ]
    return made[::-1]


def test_a_list_says_that_it_holds_more_than_it_counts(
    client: Client, letter: MakeLetter, few: None
) -> None:
    letters(letter, 61)
    page = client.get(LIST)
    assert page.context["cl"].paginator.num_pages == 2
    assert "more than 60 dead letters" in page.content.decode()


def test_a_short_list_is_counted(client: Client, letter: MakeLetter) -> None:
    letters(letter, 3)
    assert "3 dead letters" in client.get(LIST).content.decode()


def test_the_statuses_are_merged_by_time_on_every_page(client: Client, letter: MakeLetter) -> None:
    newest_first = letters(letter, 70)
    assert shown(client) + shown(client, "?p=2") == newest_first
    assert shown(client, "?o=-4") == newest_first[::-1][:50]


def test_filters_show_counts_only_of_all_letters(
    client: Client, letter: MakeLetter, few: None
) -> None:
    letters(letter, 4)
    assert "http_503 (4)" in client.get(LIST).content.decode()
    letters(letter, 124)
    page = client.get(LIST).content.decode()
    assert "http_503" in page
    assert "http_503 (" not in page


def test_letters_of_one_church_are_selected(
    client: Client, letter: MakeLetter, grace: Church, hope: Church
) -> None:
    mine, theirs = letter().pk, letter(tenant=hope).pk
    assert shown(client, f"?tenant__id__exact={hope.pk}") == [theirs]
    assert shown(client, f"?tenant__id__exact={grace.pk}") == [mine]


def test_letters_of_one_church_come_newest_first_on_every_page(
    client: Client, letter: MakeLetter, grace: Church, hope: Church
) -> None:
    letter(tenant=hope)
    Message.objects.create(
        tenant=grace, direction="inbound", status="received", to_number="+13125550100",
        from_number="+13125550001", text="please stop", asks_to_stop=True, created_at=NOW,
        updated_at=NOW,
    )  # fmt: skip
    newest_first = [
        letter(("dead", "unknown")[n % 2], dead_since=NOW + timedelta(seconds=n),
               updated_at=NOW + timedelta(seconds=n)).pk
        for n in range(70)
    ][::-1]  # fmt: skip
    query = f"?tenant__id__exact={grace.pk}"
    assert shown(client, query) + shown(client, f"{query}&p=2") == newest_first
    assert shown(client, f"{query}&o=-4") == newest_first[::-1][:50]
    dead = newest_first[1::2]
    assert shown(client, f"{query}&status=dead") == dead


def test_discarded_letters_of_one_church_are_in_the_list_of_all(
    client: Client, letter: MakeLetter, grace: Church
) -> None:
    waiting, gone = letter().pk, letter(discarded_at=NOW, discarded_reason="Wrong number.").pk
    query = f"?tenant__id__exact={grace.pk}"
    assert shown(client, query) == [waiting]
    assert shown(client, f"{query}&discarded=yes") == [gone]
    assert sorted(shown(client, f"{query}&discarded=all")) == [waiting, gone]


@pytest.mark.parametrize("key", ["x", "9" * 40, "-1"])
def test_an_impossible_church_is_no_error_of_ours(
    key: str, client: Client, letter: MakeLetter
) -> None:
    letter()
    assert client.get(f"{LIST}?tenant__id__exact={key}").status_code in {200, 302}


def test_requests_to_stop_come_newest_first(grace: Church) -> None:
    desk = Client()
    desk.force_login(User.objects.create_superuser("desk"))
    made = [
        Message.objects.create(
            tenant=grace, direction="inbound", status="received", to_number="+13125550100",
            from_number="+13125550001", text="please stop", asks_to_stop=n != 1, created_at=NOW,
            updated_at=NOW + timedelta(minutes=n),
        )
        for n in range(3)
    ]  # fmt: skip
    page = desk.get("/admin/delivery/stoprequest/")
    assert list(page.context["cl"].result_list) == [made[2], made[0]]
