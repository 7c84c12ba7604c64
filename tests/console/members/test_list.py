"""The list of members: order, search, filters, export."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.utils import timezone

from delivery.models import Message, OptOut
from delivery.opt_outs import opt_out
from delivery.statuses import Status
from koinonia import member_search
from koinonia.api import pagination
from koinonia.ids import encode
from koinonia.models import AuditEntry, Church, Group, Member
from tests.console.members.conftest import BASE
from tests.console.pages import Costs
from tests.support import cast


def names(client: Client, **query: str) -> list[str]:
    answer = client.get(BASE, query)
    assert answer.status_code == 200
    return [member.name for member in answer.context["page"].rows]


def text_to(member: Member, status: Status, error_class: str = "") -> None:
    now = timezone.now()
    Message.objects.create(
        tenant=member.church, recipient=member, to_number=member.phone, text="Hello",
        from_number="+13125550100", status=status, error_class=error_class,
        created_at=now, updated_at=now,
    )  # fmt: skip


def test_people_are_in_the_order_of_their_names(
    reader: Client, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first in ("Zoë", "anna", "Émile", "Ben"):
        cast.member(grace, first, "+13125550111")
    assert names(reader) == ["anna", "Ben", "Émile", "Zoë"]
    monkeypatch.setattr(pagination, "PAGE_SIZE", 3)
    start = reader.get(BASE)
    second = reader.get(BASE + start.context["page"].older)
    assert [member.name for member in second.context["page"].rows] == ["Zoë"]
    back = reader.get(BASE + second.context["page"].newer)
    assert [member.name for member in back.context["page"].rows] == ["anna", "Ben", "Émile"]


def test_an_exact_match_comes_first_and_accents_do_not_matter(
    reader: Client, grace: Church
) -> None:
    for first, last in (("Roseann", "Hill"), ("Lea", "Anne"), ("Anne", ""), ("Annette", "Stone")):
        cast.member(grace, first, "+13125550111", last_name=last)
    assert names(reader, search="ánne") == ["Anne", "Annette Stone", "Lea Anne"]
    assert names(reader, search="ann") == ["Anne", "Annette Stone", "Lea Anne", "Roseann Hill"]
    assert names(reader, search="stone annette") == ["Annette Stone"]


def test_a_search_ranks_a_bounded_number_and_says_so(
    reader: Client, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_search, "MOST", 2)
    for first, last in (("Ann", ""), ("Anna", ""), ("Hanna", ""), ("Anne", ""), ("Joanna", "")):
        cast.member(grace, first, "+13125550111", last_name=last)
    assert names(reader, search="ann") == ["Ann", "Anna", "Anne", "Hanna", "Joanna"]
    sentence = "Type more letters."
    assert sentence in reader.get(BASE, {"search": "ann"}).content.decode()
    assert sentence not in reader.get(BASE, {"search": "joa"}).content.decode()
    export = reader.post(f"{BASE}export/", {"search": "ann"})
    assert b"".join(export.streaming_content).count(b"+13125550111") == 5  # type: ignore[attr-defined]


def test_a_number_is_found_by_its_digits(reader: Client, anna: Member, ben: Member) -> None:
    assert names(reader, search="555-0112") == ["Ben"]


def test_filters_choose_people(reader: Client, grace: Church, anna: Member, ben: Member) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    choir.members.add(ben)
    opt_out(grace.pk, ben.phone, OptOut.Source.STAFF, now=timezone.now())
    text_to(anna, Status.DELIVERED)
    assert names(reader, group=encode(choir.pk)) == ["Ben"]
    assert names(reader, state="out") == ["Ben"]
    assert names(reader, state="new") == ["Ben"]
    assert names(reader, state="nonsense", group="nonsense") == ["Anna Lee", "Ben"]


def test_a_number_that_failed_for_good_twice_is_marked(
    reader: Client, anna: Member, ben: Member
) -> None:
    for member in (anna, ben):
        text_to(member, Status.FAILED, "carrier")
    text_to(anna, Status.DEAD, "permanent")
    text_to(anna, Status.CANCELLED)
    text_to(ben, Status.DELIVERED)
    assert names(reader, state="failing") == ["Anna Lee"]
    assert reader.get(BASE).content.decode().count('data-tone="bad">Texts always fail') == 1


def test_the_first_page_says_what_to_do(office: Client, reader: Client, grace: Church) -> None:
    assert "No members yet" in office.get(BASE).content.decode()
    assert "Import a file" not in reader.get(BASE).content.decode()
    assert "Nobody matches" in office.get(BASE, {"search": "x"}).content.decode()


def test_a_part_for_htmx_has_the_list_alone(reader: Client, anna: Member) -> None:
    part = reader.get(BASE, {"search": "ann"}, headers={"HX-Request": "true"}).content.decode()
    assert 'id="members"' in part
    assert "<html" not in part


def test_the_list_costs_few_queries(reader: Client, grace: Church, costs: Costs) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    for number in range(30):
        choir.members.add(cast.member(grace, f"M{number}", "+13125550111"))
    costs.of(reader, f"{BASE}?search=m&group={encode(choir.pk)}")


def test_the_export_follows_the_list_and_is_noted(
    reader: Client, grace: Church, anna: Member, ben: Member
) -> None:
    answer = reader.post(BASE + "export/", {"search": "lee"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    content: Any = answer.getvalue()
    assert b"Anna" in content
    assert b"Ben" not in content
    assert AuditEntry.objects.get().action == "members.exported"


@pytest.mark.django_db(transaction=True)
async def test_an_asgi_server_sends_the_parts_of_a_file_as_they_are_read(
    grace_viewer: User, grace: Church, anna: Member
) -> None:
    client = AsyncClient()
    await client.aforce_login(grace_viewer)
    answer = await client.post(BASE + "export/")
    parts = [part async for part in answer]  # type: ignore[attr-defined] # a streaming answer
    assert len(parts) == 2
    assert b"Anna" in parts[1]
