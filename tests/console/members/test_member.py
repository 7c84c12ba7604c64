"""The page of a member, and the pages of doubles."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from delivery import opt_outs
from delivery.models import Message, OptOut
from delivery.statuses import Status
from koinonia.conversations import conversation_with
from koinonia.ids import encode
from koinonia.models import AuditEntry, Church, DistinctMembers, Group, Member
from tests.console.pages import Costs
from tests.support import cast

BASE = "/churches/grace/members/"


def text_to(member: Member, text: str, **over: Any) -> Message:
    now = timezone.now()
    values = {"status": Status.DELIVERED, "created_at": now, "updated_at": now, **over}
    return Message.objects.create(
        tenant=member.church, recipient=member, to_number=member.phone,
        from_number="+13125550100", text=text, **values,
    )  # fmt: skip


def test_the_page_shows_number_consent_and_texts(
    viewer: Client, grace: Church, anna: Member, costs: Costs
) -> None:
    anna.groups.add(Group.objects.create(church=grace, name="Choir"))
    text_to(anna, "Rehearsal at seven")
    text_to(anna, "Hello <b>", status=Status.FAILED, error_code="40008", error_class="carrier")
    opt_outs.opt_out(grace.pk, anna.phone, OptOut.Source.KEYWORD, now=timezone.now())
    opt_outs.opt_in(grace.pk, anna.phone)
    opt_outs.opt_out(grace.pk, anna.phone, OptOut.Source.FILE, now=timezone.now())
    path = f"{BASE}{encode(anna.pk)}/"
    page = viewer.get(path).content.decode()
    for words in (
        "(312) 555-0111", "Choir", "Rehearsal at seven", "Hello &lt;b&gt;",
        "Opted out by an imported file", "Opted in again by START", "Opted out by a text",
    ):  # fmt: skip
        assert words in page, words
    assert "Delete" not in page
    costs.of(viewer, path)


def test_the_page_names_the_others_at_the_number(
    viewer: Client, grace: Church, anna: Member
) -> None:
    ben = cast.member(grace, "Ben", anna.phone)
    conversation_with(grace, anna.phone, now=timezone.now())
    page = viewer.get(f"{BASE}{encode(anna.pk)}/").content.decode()
    assert f'<a href="{BASE}{encode(ben.pk)}/"><bdi>Ben</bdi></a>' in page
    assert "Replies from the number are in its conversation" in page


def test_a_long_history_has_pages(viewer: Client, anna: Member) -> None:
    for number in range(30):
        text_to(anna, f"Text {number}")
    path = f"{BASE}{encode(anna.pk)}/"
    first = viewer.get(path)
    assert "Text 4<" not in first.content.decode()
    older = viewer.get(path + first.context["page"].older)
    assert "Text 4<" in older.content.decode()


def test_doubles_are_merged_with_the_chosen_values(
    sender: Client, grace: Church, anna: Member
) -> None:
    double = cast.member(grace, "ANNA", "+13125550119", last_name="LEE")
    text_to(double, "Hello")
    listed = sender.get(BASE + "doubles/").content.decode()
    path = f"{BASE}{encode(anna.pk)}/merge/{encode(double.pk)}/"
    assert path in listed
    assert sender.get(path).status_code == 200
    body = {
        "first_name": encode(anna.pk), "last_name": encode(anna.pk), "phone": encode(double.pk),
        f"version-{encode(anna.pk)}": anna.version, f"version-{encode(double.pk)}": double.version,
    }  # fmt: skip
    stale = {**body, f"version-{encode(double.pk)}": double.version + 1}
    assert sender.post(path, stale).status_code == 412
    answer = sender.post(path, body, follow=True)
    assert "They are one person now. 1 text came along." in answer.content.decode()
    remaining = Member.objects.get()
    assert (remaining.name, remaining.phone) == ("Anna Lee", "+13125550119")
    assert AuditEntry.objects.get().action == "member.merged"


def test_a_pair_can_be_kept_as_two_people(
    sender: Client, viewer: Client, grace: Church, anna: Member
) -> None:
    child = cast.member(grace, "Ann", anna.phone)
    body = {"one": encode(child.pk), "other": encode(anna.pk)}
    assert viewer.post(BASE + "doubles/", body).status_code == 403
    assert sender.post(BASE + "doubles/", body).status_code == 302
    pair = DistinctMembers.objects.get()
    assert (pair.one, pair.other) == (anna, child)
    assert "Nobody seems to be here twice" in sender.get(BASE + "doubles/").content.decode()


def test_members_of_another_church_are_not_found(
    sender: Client, hope: Church, anna: Member
) -> None:
    olga = cast.member(hope, "Olga", "+13125550211")
    key, mine = encode(olga.pk), encode(anna.pk)
    for path in (f"{key}/", f"{key}/edit/", f"{key}/delete/", f"{mine}/merge/{key}/"):
        assert sender.get(BASE + path).status_code == 404
        assert sender.post(BASE + path).status_code in (404, 405)
    assert sender.post(BASE + "doubles/", {"one": key, "other": mine}).status_code == 404


def test_a_note_is_kept_for_colleagues(sender: Client, viewer: Client, anna: Member) -> None:
    path = f"{BASE}{encode(anna.pk)}/"
    assert sender.post(path, {"text": "Prefers calls"}).status_code == 302
    page = viewer.get(path).content.decode()
    assert "Prefers calls" in page
    assert "Add the note" not in page
    assert sender.post(path, {"text": " "}).status_code == 422
    assert viewer.post(path, {"text": "No"}).status_code == 403
