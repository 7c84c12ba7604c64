"""The pages of broadcasts: who got it, who did not and why; stop, undo, edit, send again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery import opt_outs
from delivery.models import Message, OptOut
from delivery.statuses import Status
from koinonia.broadcasts.cancel import cancel_broadcast
from koinonia.broadcasts.due import accept_due
from koinonia.console.sent import broadcast as pages
from koinonia.ids import encode
from koinonia.models import AuditEntry, Broadcast, Church, Group, Member
from koinonia.phone import as_written
from tests.console.conftest import signed_in
from tests.console.pages import Costs
from tests.console.sent.conftest import (
    SENT,
    TOMORROW,
    broadcast,
    done,
    path_of,
    seen,
    text_to,
)
from tests.support import cast

pytestmark = pytest.mark.django_db


def failed(church: Church, sent: Broadcast, number: str, status: Status, code: str) -> None:
    rows = Message.objects.filter(batch=sent.pk, to_number=number)
    dead = timezone.now() if status in (Status.DEAD, Status.UNKNOWN) else None
    rows.update(status=status, error_code=code, dead_since=dead)


def test_an_empty_page_says_what_to_do(sender: Client) -> None:
    assert "Write a text" in seen(sender, SENT)


def test_a_finished_broadcast_is_complete_whatever_was_left_out(
    sender: Client, grace: Church, grace_sender: User, anna: Member, ben: Member
) -> None:
    opt_outs.opt_out(grace.pk, ben.phone, OptOut.Source.KEYWORD, now=timezone.now())
    sent = broadcast(grace, grace_sender)
    Message.objects.filter(to_number=anna.phone).update(status=Status.DELIVERED)
    for path in (SENT, path_of(sent)):
        page = seen(sender, path)
        assert "Done" in page
        assert " %</b>" not in page
        assert "1 delivered · 1 opted out" in page


def test_one_person_is_found_among_the_people_of_a_broadcast(
    sender: Client, grace: Church, grace_sender: User, anna: Member, ben: Member, costs: Costs
) -> None:
    sent = broadcast(grace, grace_sender)
    failed(grace, sent, anna.phone, Status.FAILED, "40008")
    page = seen(sender, f"{path_of(sent)}?find=LEE")
    found = page.partition('id="people"')[2].partition("</section>")[0]
    assert "Anna Lee" in found
    assert "Failed" in found
    assert ben.name not in found
    assert "Ben" in seen(sender, f"{path_of(sent)}?find={ben.phone[-4:]}")
    assert "Nobody of this name" in seen(sender, f"{path_of(sent)}?find=zebra")
    costs.of(sender, f"{path_of(sent)}?find=LEE")


def test_planned_ones_are_on_top_with_their_time(
    sender: Client, grace: Church, grace_sender: User, anna: Member, costs: Costs
) -> None:
    grace.timezone = "America/Chicago"
    grace.save()
    broadcast(grace, grace_sender, "Gone")
    at = timezone.now() + TOMORROW
    broadcast(grace, grace_sender, "Coming", scheduled_at=at)
    text_to(grace, grace_sender, anna.phone, "Also coming", send_at=at)
    page = seen(sender, SENT)
    assert page.index(">Scheduled</h2>") < page.index("Coming") < page.index("Also coming")
    assert page.index("Also coming") < page.index("Gone")
    assert "Goes out" in page
    costs.of(sender, SENT)


def test_the_page_names_causes_in_plain_words(
    sender: Client, grace: Church, grace_sender: User, anna: Member, ben: Member, costs: Costs
) -> None:
    sent = broadcast(grace, grace_sender)
    failed(grace, sent, anna.phone, Status.DEAD, "connection_failed")
    Message.objects.filter(to_number=ben.phone).update(
        status=Status.QUEUED, error_code="quiet_hours", error_class="waiting"
    )
    page = seen(sender, path_of(sent))
    assert "could not be reached" in page
    assert "It is late where this number is" in page
    people = seen(sender, f"{path_of(sent)}?show=failed&cause=connection_failed")
    assert "Anna Lee" in people
    assert "Ben" not in people
    assert sender.get(f"{path_of(sent)}?show=nothing").status_code == 404
    costs.of(sender, f"{path_of(sent)}?show=failed")


def test_stopping_says_how_many_are_called_back_and_how_many_are_gone(
    sender: Client, grace: Church, grace_sender: User, anna: Member, ben: Member
) -> None:
    sent = broadcast(grace, grace_sender)
    Message.objects.filter(to_number=anna.phone).update(status=Status.ACCEPTED)
    page = done(sender, path_of(sent, "stop"))
    assert "Stopped. 1 text was called back. 1 had gone already." in page
    assert Message.objects.get(to_number=ben.phone).status == Status.CANCELLED
    assert "Stopped" in seen(sender, SENT)
    assert AuditEntry.objects.latest("pk").action == "broadcast.cancelled"


def test_a_second_stop_says_that_it_was_stopped_already(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    soon = broadcast(grace, grace_sender, scheduled_at=timezone.now() + timedelta(seconds=10))
    assert "Nobody gets this broadcast" in done(sender, path_of(soon, "stop"))
    again = done(sender, path_of(soon, "stop"))
    assert "It was stopped already." in again
    assert "too late" not in again
    assert AuditEntry.objects.filter(action="broadcast.cancelled").count() == 1


def test_a_stop_after_the_last_text_says_that_it_is_too_late(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    sent = broadcast(grace, grace_sender)
    Message.objects.update(status=Status.DELIVERED)
    assert "It is too late" in done(sender, path_of(sent, "stop"))


def test_an_undo_that_a_worker_was_quicker_than_counts_what_is_gone(
    sender: Client, grace: Church, grace_sender: User, monkeypatch: pytest.MonkeyPatch,
    anna: Member, ben: Member,
) -> None:  # fmt: skip
    """Begin the broadcast after the page has read it as scheduled."""
    zoe = cast.member(grace, "Zoë", "+13125550113")
    opt_outs.opt_out(grace.pk, zoe.phone, OptOut.Source.KEYWORD, now=timezone.now())
    at = timezone.now() + timedelta(seconds=10)
    soon = broadcast(grace, grace_sender, scheduled_at=at)

    def after_the_worker(read: Broadcast, **given: Any) -> int:
        accept_due(at)
        Message.objects.filter(to_number=anna.phone).update(status=Status.ACCEPTED)
        return cancel_broadcast(read, **given)

    monkeypatch.setattr(pages, "cancel_broadcast", after_the_worker)
    page = done(sender, path_of(soon, "stop"))
    assert "Nobody gets this broadcast" not in page
    assert "Stopped. 1 text was called back. 1 had gone already." in page


def test_undo_is_offered_for_some_seconds_after_sending(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    soon = broadcast(grace, grace_sender, scheduled_at=timezone.now() + timedelta(seconds=10))
    later = broadcast(grace, grace_sender, scheduled_at=timezone.now() + TOMORROW)
    assert "Undo" in seen(sender, path_of(soon))
    assert "Undo" not in seen(sender, path_of(later))
    assert "Nobody gets this broadcast" in done(sender, path_of(soon, "stop"))
    soon.refresh_from_db()
    assert soon.ended_as == Status.CANCELLED


def test_the_words_the_time_and_the_people_of_a_planned_one_change(
    sender: Client, grace: Church, grace_sender: User, anna: Member, ben: Member
) -> None:
    grace.timezone = "America/Chicago"
    grace.save()
    choir = Group.objects.create(church=grace, name="Choir")
    choir.members.add(ben)
    planned = broadcast(grace, grace_sender, scheduled_at=timezone.now() + TOMORROW)
    assert "Hi {first_name}" in seen(sender, path_of(planned, "edit"))
    day = (timezone.now() + 3 * TOMORROW).date()
    given = {
        "text": "Dear {first_name}", "day": day.isoformat(), "clock": "09:30", "edits": 0,
        "everyone": "groups", "groups": [encode(choir.pk)],
    }  # fmt: skip
    assert "Dear {first_name}" in done(sender, path_of(planned, "edit"), **given)
    planned.refresh_from_db()
    assert (planned.total, planned.audience) == (1, {"groups": [encode(choir.pk)]})
    assert planned.due_at is not None
    assert planned.due_at.isoformat().startswith(f"{day}T1")
    assert AuditEntry.objects.latest("pk").action == "broadcast.moved"


def test_what_a_colleague_changed_meanwhile_is_shown_and_nothing_typed_is_lost(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    planned = broadcast(grace, grace_sender, scheduled_at=timezone.now() + TOMORROW)
    Broadcast.objects.update(text="Theirs", edits=1)
    at = timezone.now() + TOMORROW
    given = {
        "text": "Mine", "day": at.date().isoformat(), "clock": "23:59", "edits": 0, "everyone": "all",
    }  # fmt: skip
    answer = sender.post(path_of(planned, "edit"), given)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Theirs" in page
    assert "Mine" in page
    assert "It goes out on " in page
    assert Broadcast.objects.get().text == "Theirs"
    assert 'name="edits" value="1"' in page
    assert "Saved." in done(sender, path_of(planned, "edit"), **{**given, "edits": 1})
    assert Broadcast.objects.get().text == "Mine"


def test_a_planned_one_that_was_cancelled_has_no_share(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    planned = broadcast(grace, grace_sender, scheduled_at=timezone.now() + TOMORROW)
    page = done(sender, path_of(planned, "stop"))
    assert "1 called back" in page
    assert "100 %" not in page


def test_a_refused_change_says_why_beside_the_field(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    planned = broadcast(grace, grace_sender, scheduled_at=timezone.now() + TOMORROW)
    given = {
        "text": "Dear {nmae}", "day": "2020-01-01", "clock": "09:30", "edits": 0, "everyone": "all",
    }  # fmt: skip
    answer = sender.post(path_of(planned, "edit"), given)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Dear {nmae}" in page
    assert "in the future" in page


def test_causes_with_one_sentence_are_one_line_and_each_remedy_is_said_once(
    sender: Client, grace: Church, grace_sender: User, anna: Member, ben: Member
) -> None:
    zoe, max_ = (
        cast.member(grace, name, f"+1312555012{n}") for n, name in enumerate(["Zoë", "Max"])
    )
    sent = broadcast(grace, grace_sender)
    for member, code in ((anna, "40310"), (ben, "10002"), (zoe, "40301"), (max_, "40319")):
        failed(grace, sent, member.phone, Status.DEAD, code)
    page = seen(sender, path_of(sent))
    assert page.count("This is not a phone number that can be texted.") == 3  # And two buttons.
    assert page.count("<b>2</b>") == 2
    for sentence in ("Send it again with the right number, or call", "Call the person, or ask"):
        assert page.count(sentence) == 1
    who = seen(sender, f"{path_of(sent)}?show=failed&cause=10002,40310")
    numbers = (as_written(member.phone, grace.country) for member in (anna, ben, zoe))
    assert [who.count(number) for number in numbers] == [1, 1, 0]
    page = done(sender, path_of(sent, "again"), status="dead", code="10002,40310")
    assert "2 texts go out again" in page


def test_those_whom_it_did_not_reach_get_it_again_by_cause(
    sender: Client, grace: Church, grace_sender: User, anna: Member, ben: Member
) -> None:
    sent = broadcast(grace, grace_sender)
    failed(grace, sent, anna.phone, Status.DEAD, "connection_failed")
    failed(grace, sent, ben.phone, Status.FAILED, "40002")
    page = done(sender, path_of(sent, "again"), status="dead", code="connection_failed")
    assert "1 text goes out again" in page
    assert Message.objects.get(to_number=anna.phone).status == Status.QUEUED
    for _ in range(2):
        page = done(sender, path_of(sent, "again"), status="failed", code="40002")
    assert "1 person once more" in page
    assert Broadcast.objects.count() == 2
    assert Message.objects.filter(to_number=ben.phone).count() == 2
    assert "cannot be sent again" in done(sender, path_of(sent, "again"), status="delivered")


def test_what_may_have_arrived_needs_a_permission(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    sent = broadcast(grace, grace_sender)
    failed(grace, sent, anna.phone, Status.UNKNOWN, "answer_lost")
    Message.objects.update(ambiguous=True)
    assert "stays" in done(sender, path_of(sent, "again"), status="unknown", code="answer_lost")
    allowed = {"status": "unknown", "code": "answer_lost", "may_double": "on"}
    assert "goes out again" in done(sender, path_of(sent, "again"), **allowed)


def test_pages_of_one_broadcast_are_for_the_roles_of_the_church(
    sender: Client,
    viewer: Client,
    grace: Church,
    grace_sender: User,
    hope_owner: User,
    anna: Member,
) -> None:
    planned = broadcast(grace, grace_sender, scheduled_at=timezone.now() + TOMORROW)
    stranger = signed_in(hope_owner)
    assert viewer.get(path_of(planned)).status_code == 200
    assert "Cancel this broadcast" not in seen(viewer, path_of(planned))
    for part in ("edit", "stop", "again"):
        assert viewer.post(path_of(planned, part)).status_code == 403
        assert stranger.post(path_of(planned, part)).status_code == 404
    assert viewer.get(path_of(planned, "edit")).status_code == 403
    assert stranger.get(path_of(planned)).status_code == 404
    planned.refresh_from_db()
    assert planned.due_at is not None


def test_the_next_page_begins_where_the_first_ends(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    for number in range(26):
        broadcast(grace, grace_sender, f"Number {number}.")
    first = seen(sender, SENT)
    assert "Number 0." not in first
    older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    assert "Number 0." in seen(sender, SENT + older.replace("&amp;", "&"))


def test_names_of_people_and_groups_are_escaped(
    sender: Client, grace: Church, grace_sender: User
) -> None:
    cast.member(grace, "<b>Anna</b>", "+13125550111")
    sent = broadcast(grace, grace_sender, "<i>Hello</i>")
    page = seen(sender, f"{path_of(sent)}?show=waiting")
    assert "<b>Anna" not in page
    assert "<i>Hello" not in page
    assert "&lt;b&gt;Anna" in page


def test_what_is_scheduled_is_listed_by_its_time(
    sender: Client, grace: Church, grace_sender: User, anna: Member
) -> None:
    now = timezone.now()
    broadcast(grace, grace_sender, "On Sunday", scheduled_at=now + 3 * TOMORROW)
    text_to(grace, grace_sender, anna.phone, "Tomorrow", send_at=now + TOMORROW)
    broadcast(grace, grace_sender, "In two days", scheduled_at=now + 2 * TOMORROW)
    page = seen(sender, SENT)
    assert page.index("Tomorrow") < page.index("In two days") < page.index("On Sunday")
