"""After a lost race in the database, a page explains it and keeps the form."""

from __future__ import annotations

import threading
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from koinonia.broadcasts.audience import Audience
from koinonia.ids import encode
from koinonia.models import Broadcast, Church, Member, Staff
from koinonia.series import start
from koinonia.series.repeat import Repeat
from tests.support import cast
from tests.support.races import at_once
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
SENTENCE = "Somebody else changed this at the same time"


@pytest.fixture(autouse=True)
def several_writers(transactional_db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time.")


class Hidden(HTMLParser):
    """Reads the hidden fields of the form in the page, without the token."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.feed(page.partition("<main")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            name = given.get("name") or ""
            if name != "csrfmiddlewaretoken":
                self.fields.setdefault(name, []).append(given.get("value") or "")


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def lock(member: Member) -> None:
    list(Member.objects.filter(pk=member.pk).select_for_update(of=("self",)).values("pk"))


def test_a_merge_that_ends_in_a_deadlock_can_be_sent_again(
    sender: Client, grace: Church, anna: Member
) -> None:
    double = cast.member(grace, "ANNA", "+13125550119", last_name="LEE")
    path = f"/churches/grace/members/{encode(anna.pk)}/merge/{encode(double.pk)}/"
    body = {
        "first_name": encode(anna.pk), "last_name": encode(anna.pk), "phone": encode(double.pk),
        f"version-{encode(anna.pk)}": anna.version, f"version-{encode(double.pk)}": double.version,
    }  # fmt: skip
    answers: list[Any] = []
    merge = threading.Thread(
        target=at_once, args=[[lambda: answers.append(sender.post(path, body))]]
    )
    with transaction.atomic():
        lock(double)
        merge.start()
        wait_until(somebody_waits)
        lock(anna)  # The merge has Anna and waits for her double: PostgreSQL ends the merge.
    merge.join()
    page = answers[0].content.decode()
    assert (answers[0].status_code, SENTENCE in page) == (409, True)
    kept = Hidden(page).fields
    assert kept == {name: [str(value)] for name, value in body.items()}
    assert "They are one person now." in sender.post(path, kept, follow=True).content.decode()


@pytest.fixture
def occurrence(grace: Church, grace_sender: User, anna: Member) -> Broadcast:
    now = timezone.now()
    series = start.start_series(
        grace, "Hello", Audience.from_json({"all": True}), first_at=now + timedelta(days=1),
        repeat=Repeat("week"), author=grace_sender, now=now,
    )  # fmt: skip
    return series.broadcasts.get()


def test_a_new_zone_beside_a_worker_keeps_the_form(
    owner: Client, grace: Church, occurrence: Broadcast
) -> None:
    path = "/churches/grace/settings/"
    body = {"name": "Grace of the Lake", "timezone": "Asia/Seoul", "language": "en",
            "version": Church.objects.get(pk=grace.pk).version}  # fmt: skip
    answers: list[Any] = []
    with transaction.atomic():
        list(Broadcast.objects.select_for_update(of=("self",)).values("pk"))
        at_once([lambda: answers.append(owner.post(path, body))])
        at_once([lambda: answers.append(owner.post(path, body, HTTP_HX_REQUEST="true"))])
    assert [answer.status_code for answer in answers] == [409, 409]
    kept = Hidden(answers[0].content.decode()).fields
    assert kept["name"] == ["Grace of the Lake"]
    assert owner.post(path, kept).status_code == 302
    grace.refresh_from_db()
    assert (grace.name, grace.timezone) == ("Grace of the Lake", "Asia/Seoul")


def test_a_page_of_the_admin_says_the_same(
    admin_client: Client, grace: Church, occurrence: Broadcast
) -> None:
    path = f"/admin/koinonia/church/{grace.pk}/change/"
    place = Staff.objects.get(church=grace)
    body = {
        "slug": grace.slug, "name": grace.name, "phone_number": grace.phone_number,
        "country": grace.country, "timezone": "Asia/Seoul", "staff-TOTAL_FORMS": 1,
        "staff-INITIAL_FORMS": 1, "staff-0-id": place.pk, "staff-0-church": grace.pk,
        "staff-0-user": place.user_id, "staff-0-role": place.role,
    }  # fmt: skip
    answers: list[Any] = []
    admin_client.raise_request_exception = False
    with transaction.atomic():
        list(Broadcast.objects.select_for_update(of=("self",)).values("pk"))
        at_once([lambda: answers.append(admin_client.post(path, body))])
    page = answers[0].content.decode()
    assert (answers[0].status_code, SENTENCE in page) == (409, True)
