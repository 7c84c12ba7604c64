"""Adding, changing and deleting a member on the pages."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.utils import timezone

from delivery.models import ConsentChange, Message, OptOut
from delivery.opt_outs import opt_out
from delivery.statuses import Status
from koinonia.conversations import conversation_with
from koinonia.ids import encode
from koinonia.models import AuditEntry, Broadcast, Church, Group, Member
from realtime.models import Event

BASE = "/churches/grace/members/"


def edit_path(member: Member) -> str:
    return f"{BASE}{encode(member.pk)}/edit/"


def test_a_member_is_added_with_groups(sender: Client, grace: Church) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    body = {"first_name": "Zoë", "last_name": "O'Hara", "phone": "312.555.0144",
            "groups": [encode(choir.pk)], "opted_out": "on"}  # fmt: skip
    answer = sender.post(BASE + "new/", body, follow=True)
    member = Member.objects.get()
    assert answer.redirect_chain == [(f"{BASE}{encode(member.pk)}/", 302)]
    assert (member.name, member.phone) == ("Zoë O'Hara", "+13125550144")
    assert list(member.groups.all()) == [choir]
    change = ConsentChange.objects.get()
    assert (change.source, change.by and change.by.username) == ("staff", "grace-sender")
    assert AuditEntry.objects.get().action == "member.added"
    page = answer.content.decode()
    assert "Zoë O&#x27;Hara is added." in page
    assert "Opted out by the staff" in page


def test_an_error_keeps_what_was_typed(sender: Client, grace: Church) -> None:
    answer = sender.post(BASE + "new/", {"first_name": "Zoë", "phone": "12"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Zoë"' in page
    assert 'value="12"' in page
    assert 'aria-invalid="true"' in page
    assert not Member.objects.exists()


def test_a_member_is_changed(sender: Client, anna: Member) -> None:
    body = {"first_name": "Anne", "last_name": "Lee", "phone": anna.phone, "version": anna.version}
    assert sender.post(edit_path(anna), body).status_code == 302
    anna.refresh_from_db()
    assert anna.first_name == "Anne"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == ("member.changed", {"fields": ["first_name"]})


def changed_by_both(sender: Client, anna: Member, **initial: str) -> Any:
    anna.refresh_from_db()
    body = {"first_name": "Anne", "last_name": "Lee", "phone": anna.phone, "version": anna.version}
    Member.objects.get(pk=anna.pk).save()
    Member.objects.filter(pk=anna.pk).update(last_name="Leigh")
    return body, sender.post(edit_path(anna), {**body, **initial})


def test_a_change_of_a_colleague_is_shown_with_both_versions(sender: Client, anna: Member) -> None:
    body, answer = changed_by_both(sender, anna)
    page = answer.content.decode()
    assert answer.status_code == 412
    assert "A colleague has changed this meanwhile" in page
    rows = [(row["name"], row["mine"], row["theirs"]) for row in answer.context["rows"]]
    assert rows == [("first_name", "Anne", "Anna"), ("last_name", "Lee", "Leigh")]
    anna.refresh_from_db()
    assert anna.name == "Anna Leigh"

    choice = {**body, "version": answer.context["version"], "take-last_name": "theirs"}
    assert sender.post(edit_path(anna), choice).status_code == 302
    anna.refresh_from_db()
    assert anna.name == "Anne Leigh"


def test_a_colleagues_value_is_marked_where_a_person_changed_nothing(
    sender: Client, anna: Member
) -> None:
    page = sender.get(edit_path(anna)).content.decode()
    assert 'name="initial-last_name" value="Lee"' in page
    known = {
        f"initial-{name}": getattr(anna, name) for name in ("first_name", "last_name", "phone")
    }
    _body, answer = changed_by_both(sender, anna, **known)
    rows = [(row["name"], row["is_changed"]) for row in answer.context["rows"]]
    assert rows == [("first_name", True), ("last_name", False)]
    page = answer.content.decode()
    assert 'name="take-first_name" value="mine" checked' in page
    assert 'name="take-last_name" value="theirs" checked' in page


def test_an_opt_out_cannot_be_taken_back_on_the_page(
    sender: Client, grace: Church, anna: Member
) -> None:
    opt_out(grace.pk, anna.phone, OptOut.Source.KEYWORD, now=timezone.now())
    assert "opted_out" not in sender.get(edit_path(anna)).context["form"].fields
    body = {"first_name": "Anne", "phone": anna.phone, "version": anna.version}
    assert sender.post(edit_path(anna), body).status_code == 302
    assert OptOut.objects.filter(number=anna.phone).exists()


def test_the_same_change_of_a_colleague_is_no_conflict(sender: Client, anna: Member) -> None:
    body = {"first_name": "Anne", "last_name": "Lee", "phone": anna.phone, "version": anna.version}
    assert sender.post(edit_path(anna), body).status_code == 302
    again = sender.post(edit_path(anna), body, follow=True)
    assert again.redirect_chain == [(f"{BASE}{encode(anna.pk)}/", 302)]
    page = again.content.decode()
    assert "A colleague has saved the same meanwhile." in page
    assert f'data-accepted="member-{encode(anna.pk)}"' in page


def test_the_others_at_a_new_number_are_named(
    sender: Client, grace: Church, anna: Member, ben: Member
) -> None:
    ida = {"first_name": "Ida", "phone": anna.phone, "another": "1"}
    added = sender.post(BASE + "new/", ida, follow=True).content.decode()
    assert "Ida is added. The same number belongs to: Anna Lee." in added
    body = {"first_name": "Ben", "last_name": "Stone", "phone": anna.phone, "version": ben.version}
    moved = sender.post(edit_path(ben), body, follow=True).content.decode()
    assert "The same number belongs to: Anna Lee, Ida." in moved
    ben.refresh_from_db()
    kept = sender.post(edit_path(ben), {**body, "version": ben.version}, follow=True)
    assert "The same number belongs to" not in kept.content.decode()


def test_a_member_is_opted_out_on_the_page(
    sender: Client, viewer: Client, grace: Church, anna: Member
) -> None:
    page = f"{BASE}{encode(anna.pk)}/"
    assert "Opt this number out" not in viewer.get(page).content.decode()
    assert "Opt this number out" in sender.get(page).content.decode()
    stale = sender.post(page + "opt-out/", {"version": anna.version + 1}, follow=True)
    assert "A colleague has changed this member meanwhile." in stale.content.decode()
    assert not OptOut.objects.exists()
    done = sender.post(page + "opt-out/", {"version": anna.version}, follow=True)
    assert "This number is opted out." in done.content.decode()
    assert "Opt this number out" not in done.content.decode()
    assert OptOut.objects.get().number == anna.phone
    change = ConsentChange.objects.get()
    assert (change.source, change.by and change.by.username) == ("staff", "grace-sender")
    assert AuditEntry.objects.get().detail == {"fields": ["opted_out"]}


def test_an_opt_out_on_the_page_renews_the_inboxes_of_colleagues(
    sender: Client, grace: Church, anna: Member
) -> None:
    conversation = conversation_with(grace, anna.phone, now=timezone.now())
    body = {"first_name": "Anne", "phone": anna.phone, "version": anna.version, "opted_out": "on"}
    assert sender.post(edit_path(anna), body).status_code == 302
    event = Event.objects.get(stream__key="church:grace", type="conversation.updated")
    told = json.loads(event.body)["data"]
    assert (told["conversation"], told["opted_out"]) == (encode(conversation.pk), True)


def test_a_deletion_says_what_waits_and_cancels_it(
    sender: Client, grace: Church, anna: Member
) -> None:
    now = timezone.now()
    text = Message.objects.create(
        tenant=grace, recipient=anna, to_number=anna.phone, from_number="+13125550100",
        text="Hello", status=Status.QUEUED, next_attempt_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    Broadcast.objects.create(
        church=grace, text="Hi", created_at=now, due_at=now,
        audience={"groups": [], "members": [encode(anna.pk)]},
    )  # fmt: skip
    path = f"{BASE}{encode(anna.pk)}/delete/"
    page = sender.get(path)
    assert page.context["waiting"].texts == page.context["waiting"].broadcasts == 1
    answer = sender.post(path, {"version": anna.version}, follow=True)
    assert "Anna Lee is deleted. 1 waiting text is cancelled." in answer.content.decode()
    text.refresh_from_db()
    assert text.status == Status.CANCELLED
    assert AuditEntry.objects.get().action == "member.deleted"
    assert sender.get(path).status_code == 404


def test_a_changed_member_is_not_deleted_unseen(sender: Client, anna: Member) -> None:
    path = f"{BASE}{encode(anna.pk)}/delete/"
    assert sender.post(path, {"version": anna.version + 1}).status_code == 412
    assert Member.objects.exists()


def test_a_reader_changes_nothing(viewer: Client, anna: Member) -> None:
    for path in (BASE + "new/", edit_path(anna), f"{BASE}{encode(anna.pk)}/delete/"):
        assert viewer.get(path).status_code == 403
        assert viewer.post(path, {"version": anna.version}).status_code == 403
