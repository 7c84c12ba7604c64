"""The list of members: order, search, filters, export."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client, RequestFactory
from django.utils import timezone
from rest_framework.request import Request

from delivery.models import Message, OptOut
from delivery.opt_outs import opt_out
from delivery.statuses import Status
from koinonia.api import pagination
from koinonia.ids import encode
from koinonia.models import AuditEntry, Church, Group, Member
from koinonia.people import search
from tests.console.pages import Costs
from tests.support import cast

BASE = "/churches/grace/members/"


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
    viewer: Client, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first in ("Zoë", "anna", "Émile", "Ben"):
        cast.member(grace, first, "+13125550111")
    assert names(viewer) == ["anna", "Ben", "Émile", "Zoë"]
    monkeypatch.setattr(pagination, "PAGE_SIZE", 3)
    start = viewer.get(BASE)
    second = viewer.get(BASE + start.context["page"].older)
    assert [member.name for member in second.context["page"].rows] == ["Zoë"]
    back = viewer.get(BASE + second.context["page"].newer)
    assert [member.name for member in back.context["page"].rows] == ["anna", "Ben", "Émile"]


def test_a_cursor_of_another_church_tells_nothing_of_its_names(
    viewer: Client, grace: Church, hope: Church
) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    stranger = cast.member(hope, "Maria", "+13125550112")
    pages = pagination.ByName(hope.pk)
    pages.rows, pages.request, pages.known = [stranger], Request(RequestFactory().get("/")), ()
    cursor = parse_qs(urlsplit(pages._link(0)).query)["cursor"][0]
    for path in (BASE, f"{BASE}?search=a&", f"/churches/grace/groups/{encode(choir.pk)}/"):
        answer = viewer.get(f"{path}{'' if '?' in path else '?'}cursor={cursor}")
        assert answer.status_code == 404


def test_an_exact_match_comes_first_and_accents_do_not_matter(
    viewer: Client, grace: Church
) -> None:
    for first, last in (("Roseann", "Hill"), ("Lea", "Anne"), ("Anne", ""), ("Annette", "Stone")):
        cast.member(grace, first, "+13125550111", last_name=last)
    assert names(viewer, search="ánne") == ["Anne", "Annette Stone", "Lea Anne"]
    assert names(viewer, search="ann") == ["Anne", "Annette Stone", "Lea Anne", "Roseann Hill"]
    assert names(viewer, search="stone annette") == ["Annette Stone"]


def test_a_search_ranks_a_bounded_number_and_says_so(
    viewer: Client, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST", 2)
    for first, last in (("Ann", ""), ("Anna", ""), ("Hanna", ""), ("Anne", ""), ("Joanna", "")):
        cast.member(grace, first, "+13125550111", last_name=last)
    assert names(viewer, search="ann") == ["Ann", "Anna", "Anne", "Hanna", "Joanna"]
    sentence = "Type more letters."
    assert sentence in viewer.get(BASE, {"search": "ann"}).content.decode()
    assert sentence not in viewer.get(BASE, {"search": "joa"}).content.decode()
    export = viewer.post(f"{BASE}export/", {"search": "ann"})
    assert b"".join(export.streaming_content).count(b"+13125550111") == 5  # type: ignore[attr-defined]


def test_a_number_is_found_by_its_digits(viewer: Client, anna: Member, ben: Member) -> None:
    assert names(viewer, search="555-0112") == ["Ben"]


def test_filters_choose_people(viewer: Client, grace: Church, anna: Member, ben: Member) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    choir.members.add(ben)
    opt_out(grace.pk, ben.phone, OptOut.Source.STAFF, now=timezone.now())
    text_to(anna, Status.DELIVERED)
    assert names(viewer, group=encode(choir.pk)) == ["Ben"]
    assert names(viewer, state="out") == ["Ben"]
    assert names(viewer, state="new") == ["Ben"]
    assert names(viewer, state="nonsense", group="nonsense") == ["Anna Lee", "Ben"]


def test_a_number_that_failed_for_good_twice_is_marked(
    viewer: Client, anna: Member, ben: Member
) -> None:
    for member in (anna, ben):
        text_to(member, Status.FAILED, "carrier")
    text_to(anna, Status.DEAD, "permanent")
    text_to(anna, Status.CANCELLED)
    text_to(ben, Status.DELIVERED)
    assert names(viewer, state="failing") == ["Anna Lee"]
    assert viewer.get(BASE).content.decode().count('data-tone="bad">Texts always fail') == 1
    Member.objects.filter(pk=anna.pk).update(phone="+13125550119")
    assert names(viewer, state="failing") == []


def test_the_first_page_says_what_to_do(sender: Client, viewer: Client, grace: Church) -> None:
    assert "No members yet" in sender.get(BASE).content.decode()
    assert "Import a file" not in viewer.get(BASE).content.decode()
    assert "Nobody matches" in sender.get(BASE, {"search": "x"}).content.decode()


def test_a_part_for_htmx_has_the_list_alone(viewer: Client, anna: Member) -> None:
    part = viewer.get(BASE, {"search": "ann"}, headers={"HX-Request": "true"}).content.decode()
    assert 'id="members"' in part
    assert "<html" not in part


def test_the_list_costs_few_queries(viewer: Client, grace: Church, costs: Costs) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    for number in range(30):
        choir.members.add(cast.member(grace, f"M{number}", "+13125550111"))
    costs.of(viewer, f"{BASE}?search=m&group={encode(choir.pk)}")


def test_the_export_follows_the_list_and_is_noted(
    viewer: Client, grace: Church, anna: Member, ben: Member
) -> None:
    answer = viewer.post(BASE + "export/", {"search": "lee"})
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
