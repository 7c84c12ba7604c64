"""Support types a whole number or any id, and sees masked numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery.admin.sealed import seal
from delivery.models import Message, OptOut, WebhookEvent
from koinonia.accounts.support_group import SUPPORT
from koinonia.desk.find.asked import Asked
from koinonia.desk.find.search import find
from koinonia.ids import encode
from koinonia.models import Church, Member
from tests.koinonia.desk.find.texts import STRANGER, text

FIND = "/admin/find/"
NOW = timezone.now()


def ask(client: Client, **asked: str) -> Any:
    return client.post(FIND, asked, follow=True)


def listed(answer: Any) -> list[Message]:
    return [row["text"] for row in answer.context["rows"]]


def test_a_number_finds_the_texts_to_and_from_it_at_every_church(
    support: Client, grace: Church, hope: Church
) -> None:
    to_it = text(grace, at=NOW - timedelta(hours=2))
    from_it = text(hope, inbound=True, at=NOW - timedelta(hours=1))
    text(grace, number="+13125550178")
    answer = ask(support, q="(312) 555-0177")
    assert listed(answer) == [from_it, to_it]
    assert "+131•••••177" in answer.content.decode()


def test_the_number_is_neither_in_the_page_nor_in_the_url(support: Client, grace: Church) -> None:
    text(grace)
    answer = ask(support, q=STRANGER)
    where = answer.redirect_chain[0][0]
    for shown in (where, answer.content.decode()):
        assert STRANGER[1:] not in shown
        assert "5550177" not in shown
    assert "the secret words" not in answer.content.decode()


def test_the_opt_outs_of_the_number_are_said(support: Client, grace: Church, hope: Church) -> None:
    OptOut.objects.create(tenant=hope, number=STRANGER, source="keyword", created_at=NOW)
    page = ask(support, q=STRANGER).content.decode()
    assert "opted out of the texts of Hope Church" in page
    assert "has not opted out" in ask(support, q="+13125550178").content.decode()


@pytest.mark.parametrize("of", ["short id", "number of the row", "id of the provider"])
def test_a_text_is_found_by_each_of_its_ids(support: Client, grace: Church, of: str) -> None:
    one = text(grace, provider_id="40385f64-5717-4562-b3fc-2c963f66afa6")
    text(grace, number="+13125550178")
    words = {
        "short id": encode(one.pk),
        "number of the row": f"#{one.pk}",
        "id of the provider": str(one.provider_id),
    }
    assert listed(ask(support, q=words[of])) == [one]


def test_an_id_that_only_a_webhook_has_leads_to_the_webhook(support: Client, db: None) -> None:
    sid = "SM" + "0" * 32
    event = WebhookEvent.objects.create(
        event_id="e", event_type="sent", provider_id=sid, payload={}, occurred_at=NOW,
        received_at=NOW,
    )  # fmt: skip
    page = ask(support, q=sid).content.decode()
    assert "No text has this id" in page
    assert f"/admin/delivery/webhookevent/{event.pk}/change/" in page


def test_a_church_and_a_time_find_its_texts(support: Client, grace: Church, hope: Church) -> None:
    old = text(grace, at=NOW - timedelta(days=3))
    text(grace, number="+13125550178")
    text(hope, at=NOW - timedelta(days=3))
    span = {
        "since": f"{NOW - timedelta(days=4):%Y-%m-%dT%H:%M}",
        "until": f"{NOW - timedelta(days=2):%Y-%m-%dT%H:%M}",
    }
    assert listed(ask(support, church="grace ch", **span)) == [old]
    assert listed(ask(support, church="+13125550100", **span)) == [old]


def test_a_name_of_several_churches_is_asked_about(
    support: Client, grace: Church, hope: Church
) -> None:
    page = ask(support, church="church").content.decode()
    assert "Which church?" in page
    assert "?church=grace" in page
    assert "?church=hope" in page
    assert "No church has this name" in ask(support, church="Nowhere").content.decode()


def test_the_number_of_a_church_finds_the_church(support: Client, grace: Church) -> None:
    inbound = text(grace, inbound=True)
    answer = ask(support, q=str(grace.phone_number))
    assert "sending number of" in answer.content.decode()
    assert listed(answer) == [inbound]


def test_more_texts_than_a_page_holds_are_said(
    support: Client, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("koinonia.desk.find.search.MOST", 2)
    texts = [text(grace, batch=number) for number in range(3)]
    answer = ask(support, q=STRANGER)
    assert listed(answer) == [texts[2], texts[1]]
    assert "Narrow the search" in answer.content.decode()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Give a number, an id or a church."),
        ({"q": "banana split"}, "No text was found"),
        ({"q": "9" * 60}, "No text was found"),
        ({"q": "x" * 101}, "at most 100 characters"),
        ({"church": "grace", "since": "yesterday"}, "Enter a valid date"),
        (
            {"church": "grace", "since": "2026-11-02T00:00", "until": "2026-11-01T00:00"},
            "not after",
        ),
    ],
    ids=str,
)
def test_a_question_without_a_sense_is_answered_by_a_sentence(
    support: Client, grace: Church, asked: dict[str, str], said: str
) -> None:
    assert said in ask(support, **asked).content.decode()


def test_the_link_of_a_number_serves_its_user_alone(
    support: Client, support_user: User, grace: Church
) -> None:
    text(grace)
    mine, foreign = seal(STRANGER, support_user.pk), seal(STRANGER, support_user.pk + 1)
    assert len(listed(support.get(FIND, {"number": mine}))) == 1
    for token in (foreign, "banana", "\0", mine[:-2]):
        answer = support.get(FIND, {"number": token})
        assert answer.status_code == 422
        assert "more than a day old" in answer.content.decode()


def test_a_search_by_number_needs_few_queries(support: Client, grace: Church, hope: Church) -> None:
    """The page costs at most twelve, with session, user and rights."""
    for church in (grace, hope):
        text(church)
        text(church, inbound=True)
        OptOut.objects.create(tenant=church, number=STRANGER, source="staff", created_at=NOW)
    where = support.post(FIND, {"q": STRANGER}).url  # type: ignore[attr-defined]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = support.get(where)
    assert len(listed(answer)) == 4
    assert len(queries) <= 12, [query["sql"][:100] for query in queries]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans by other rules.")
def test_each_query_of_a_number_can_follow_an_index(grace: Church) -> None:
    """PostgreSQL reads small tables whole, so the test forbids sequential scans."""
    text(grace)
    text(grace, inbound=True)
    with CaptureQueriesContext(connection) as queries:
        find(Asked(number=STRANGER))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in queries.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            for table in ("message", "optout", "conversation", "sendingnumber"):
                assert f"{table} " not in plan.partition("Seq Scan on ")[2].partition("(")[0], plan
    assert len(queries) == 5


def test_names_of_members_are_not_shown(support: Client, grace: Church) -> None:
    member = Member.objects.create(church=grace, first_name="Ruth", phone=STRANGER)
    one = text(grace, recipient=member)
    assert "Ruth" not in ask(support, q=STRANGER).content.decode()
    assert "Ruth" not in support.get(f"{FIND}{encode(one.pk)}/").content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [("nobody", 302), ("owner", 302), ("staff", 403), ("support", 200), ("root", 200)],
)
@pytest.mark.parametrize("page", ["", "{}/", "{}/reveal/"])
def test_only_support_finds_texts(
    grace: Church, grace_owner: User, who: str, status: int, page: str
) -> None:
    one = text(grace)
    client = Client()
    users = {
        "owner": lambda: grace_owner,
        "staff": lambda: User.objects.create_user("staff", is_staff=True),
        "support": lambda: User.objects.create_user("support", is_staff=True),
        "root": lambda: User.objects.create_superuser("root"),
    }
    if who in users:
        user = users[who]()
        if who == "support":
            user.groups.add(Group.objects.get(name=SUPPORT))
        client.force_login(user)
    path = FIND + page.format(encode(one.pk))
    answer = client.post(path) if page.endswith("reveal/") else client.get(path)
    assert answer.status_code == status
