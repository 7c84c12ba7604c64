"""Scheduled broadcasts: members, numbers and names at the due time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from delivery import opt_outs
from delivery.models import Message, OptOut
from delivery.queue import due
from delivery.status_report import why_stuck
from delivery.statuses import Status
from koinonia.broadcasts.due import accept_due
from koinonia.conversations import conversation_with
from koinonia.ids import encode
from koinonia.models import Broadcast, Church, Group, Member
from tests.koinonia.due.conftest import G, Tomorrow, events
from tests.support import cast

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_scheduled_broadcast_is_one_row_with_a_forecast(
    tomorrow: Tomorrow, grace: Church, choir: Group, anna: Member
) -> None:
    opt_outs.opt_out(grace.pk, anna.phone, OptOut.Source.KEYWORD, now=timezone.now())
    made = tomorrow.broadcast(groups=[encode(choir.pk)])
    assert (made["status"], made["total"]) == ("scheduled", 2)
    assert made["counts"] == {"scheduled": 1, "suppressed": 1}
    assert not Message.objects.exists()
    assert tomorrow.look("broadcasts", made) == made
    assert [event["id"] for event in events("broadcast.created")] == [made["id"]]
    assert not due.anything_due(timezone.now())
    assert due.anything_due(tomorrow.at)


def test_members_numbers_names_and_opt_outs_are_read_at_the_due_time(
    tomorrow: Tomorrow, grace: Church, choir: Group, anna: Member, ben: Member
) -> None:
    gone, stopped, left = (
        cast.member(grace, name, f"+1312555013{number}")
        for number, name in enumerate(["Gone", "Stopped", "Left"])
    )
    choir.members.add(gone, stopped, left)
    made = tomorrow.broadcast(groups=[encode(choir.pk)])
    gone.delete()
    choir.members.remove(left)
    choir.members.add(cast.member(grace, "New", "+13125550140"))
    opt_outs.opt_out(grace.pk, stopped.phone, OptOut.Source.KEYWORD, now=timezone.now())
    Member.objects.filter(pk=anna.pk).update(first_name="Ann", phone="+13125550141")
    assert tomorrow.comes() == {
        ("+13125550141", "Dear Ann"),
        (ben.phone, "Dear Ben"),
        ("+13125550140", "Dear New"),
    }
    shown = tomorrow.look("broadcasts", made)
    assert (shown["total"], shown["counts"]) == (4, {"accepted": 3, "suppressed": 1})
    assert shown["status"] == "done"
    assert len(events("broadcast.created")) == 1
    assert events("broadcast.progress")[-1]["broadcast"] == made["id"]


def test_the_sending_number_is_read_at_the_due_time(
    tomorrow: Tomorrow, grace: Church, choir: Group
) -> None:
    tomorrow.broadcast()
    Church.objects.filter(pk=grace.pk).update(phone_number="+13125550199")
    tomorrow.comes()
    assert set(Message.objects.values_list("from_number", flat=True)) == {"+13125550199"}


def test_concurrent_workers_accept_a_broadcast_once(tomorrow: Tomorrow, choir: Group) -> None:
    tomorrow.broadcast()
    assert accept_due(tomorrow.at)
    assert not accept_due(tomorrow.at)
    assert Message.objects.count() == 2


def test_a_crash_leaves_the_broadcast_due_and_complete(
    tomorrow: Tomorrow, choir: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    tomorrow.broadcast()

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("koinonia.broadcasts.due.accept_batch", crash)
        with pytest.raises(KeyboardInterrupt):
            accept_due(tomorrow.at)
    assert Broadcast.objects.get().due_at is not None
    assert len(tomorrow.comes()) == 2


def test_a_failing_broadcast_does_not_block_others(
    tomorrow: Tomorrow, choir: Group, ben: Member, caplog: pytest.LogCaptureFixture
) -> None:
    bad = tomorrow.broadcast("Bad {first_name}")
    Broadcast.objects.update(audience={"groups": 7})
    tomorrow.broadcast("Good {first_name}", members=[encode(ben.pk)])
    accept_due(tomorrow.at)
    assert tomorrow.comes() == {(ben.phone, "Good Ben")}
    assert tomorrow.look("broadcasts", bad)["status"] == "scheduled"
    assert "cannot be accepted" in caplog.text


def test_a_database_outage_does_not_postpone_the_broadcast(
    tomorrow: Tomorrow, choir: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    tomorrow.broadcast()
    before = Broadcast.objects.get().due_at

    def away(*_: object, **__: object) -> None:
        from django.db import OperationalError

        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr("koinonia.broadcasts.due.accept_batch", away)
        with pytest.raises(DatabaseError):
            accept_due(tomorrow.at)
    assert Broadcast.objects.get().due_at == before


def test_a_text_that_became_too_long_is_a_dead_letter_and_others_are_sent(
    tomorrow: Tomorrow, anna: Member, ben: Member
) -> None:
    made = tomorrow.broadcast("{first_name} " + "x" * 1500)
    Member.objects.filter(pk=anna.pk).update(first_name="A" * 40)
    assert {to for to, _ in tomorrow.comes()} == {ben.phone}
    assert tomorrow.look("broadcasts", made)["counts"] == {"accepted": 1, "dead": 1}
    (letter,) = tomorrow.client.get(f"{G}dead-letters/").json()["results"]
    assert (letter["member"]["name"], letter["error"]["code"]) == (
        "A" * 40 + " Lee",
        "text_too_long",
    )


def test_deleting_its_only_group_cancels_a_broadcast_at_once(
    tomorrow: Tomorrow, choir: Group
) -> None:
    made = tomorrow.broadcast(groups=[encode(choir.pk)])
    answer = tomorrow.client.delete(f"{G}groups/{encode(choir.pk)}/")
    assert (answer.status_code, answer["Cancelled-Broadcasts"]) == (204, "1")
    shown = tomorrow.look("broadcasts", made)
    assert (shown["status"], shown["counts"]) == ("cancelled", {"cancelled": 2})
    assert events("broadcast.progress") == [{"broadcast": made["id"], "counts": {"cancelled": 2}}]
    assert tomorrow.comes() == set()


def test_a_broadcast_to_a_second_group_is_sent_to_that_group(
    tomorrow: Tomorrow, grace: Church, choir: Group, ben: Member
) -> None:
    youth = Group.objects.create(church=grace, name="Youth")
    youth.members.add(ben)
    made = tomorrow.broadcast(groups=[encode(choir.pk), encode(youth.pk)])
    choir.delete()
    shown = tomorrow.look("broadcasts", made)
    assert (shown["status"], shown["counts"], shown["total"]) == ("scheduled", {"scheduled": 1}, 1)
    assert tomorrow.comes() == {(ben.phone, "Dear Ben")}


def test_a_due_broadcast_with_an_empty_audience_is_cancelled(
    tomorrow: Tomorrow, choir: Group
) -> None:
    made = tomorrow.broadcast(groups=[encode(choir.pk)])
    choir.members.clear()
    assert tomorrow.comes() == set()
    shown = tomorrow.look("broadcasts", made)
    assert (shown["status"], shown["counts"], shown["total"]) == ("cancelled", {}, 0)


def test_a_broadcast_cancelled_before_its_due_time_sends_nothing(
    tomorrow: Tomorrow, choir: Group
) -> None:
    made = tomorrow.broadcast()
    cancelled = tomorrow.client.post(f"{G}broadcasts/{made['id']}/cancel/").json()
    assert (cancelled["status"], cancelled["counts"]) == ("cancelled", {"cancelled": 2})
    assert tomorrow.comes() == set()


def test_a_broadcast_that_waited_too_long_expires_and_the_status_page_reports_it(
    tomorrow: Tomorrow, choir: Group
) -> None:
    made = tomorrow.broadcast()
    tomorrow.at += timedelta(minutes=10)
    assert "scheduled broadcast" in why_stuck(tomorrow.at, after=timedelta(minutes=5))
    tomorrow.at += timedelta(days=1)
    assert tomorrow.comes() == set()
    shown = tomorrow.look("broadcasts", made)
    assert (shown["status"], shown["counts"]) == ("done", {"expired": 2})


def test_messages_of_an_earlier_release_are_redrafted_at_the_due_time(
    tomorrow: Tomorrow, grace: Church, choir: Group, anna: Member, ben: Member
) -> None:
    """Create the rows at the scheduling time with the status ``scheduled``, like that release."""
    gone = cast.member(grace, "Gone", "+13125550131")
    left = cast.member(grace, "Left", "+13125550132")
    choir.members.add(gone, left)
    made = tomorrow.broadcast(groups=[encode(choir.pk)])
    accept_due(tomorrow.at)
    Message.objects.update(
        status=Status.SCHEDULED, next_attempt_at=tomorrow.at, from_number="+13125550100"
    )
    choir.members.remove(left)
    Message.objects.filter(recipient=gone).update(recipient=None)
    Member.objects.filter(pk=gone.pk).delete()
    Member.objects.filter(pk=anna.pk).update(phone="+13125550141", first_name="Ann")
    assert tomorrow.comes() == {("+13125550141", "Dear Ann"), (ben.phone, "Dear Ben")}
    shown = tomorrow.look("broadcasts", made)
    assert shown["counts"] == {"accepted": 2, "cancelled": 2}


def test_a_redrafted_message_to_a_number_in_the_broadcast_is_no_double_send(
    tomorrow: Tomorrow, grace: Church, choir: Group, anna: Member, ben: Member
) -> None:
    tomorrow.broadcast(groups=[encode(choir.pk)])
    accept_due(tomorrow.at)
    Message.objects.update(status=Status.SCHEDULED, next_attempt_at=tomorrow.at)
    Member.objects.filter(pk=ben.pk).update(phone=anna.phone)
    assert tomorrow.comes() == {(anna.phone, "Dear Anna")}
    assert conversation_with(grace, ben.phone, now=timezone.now()).last_message is not None
