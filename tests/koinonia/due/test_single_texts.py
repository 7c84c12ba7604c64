"""Scheduled texts to one member: the number and name at the due time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery import opt_outs
from delivery.accept import accept_message
from delivery.drafts import Draft
from delivery.models import Message, OptOut, Outcome
from delivery.providers.base import SendOutcome
from delivery.providers.telnyx.client import body
from delivery.queue.claim import claim_one, put_back
from delivery.statuses import Status
from koinonia import sending_numbers
from koinonia.ids import encode
from koinonia.models import Church, Conversation, Member
from koinonia.texts.compose import Composer
from tests.koinonia.due.conftest import G, Tomorrow, events

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "+13125550141"


@pytest.fixture(params=["member", "to", "conversation"])
def named(request: pytest.FixtureRequest, grace: Church, anna: Member) -> dict[str, Any]:
    """Return one of the three fields that address Anna in a request."""
    talk = Conversation.objects.create(church=grace, phone=anna.phone)
    names = {"member": encode(anna.pk), "to": anna.phone, "conversation": encode(talk.pk)}
    return {request.param: names[request.param]}


def test_the_number_and_the_name_are_read_at_the_due_time(
    tomorrow: Tomorrow, named: dict[str, Any], anna: Member
) -> None:
    made = tomorrow.text(**named)
    assert (made["text"], made["to"], made["status"]) == ("Dear Anna", anna.phone, "scheduled")
    Member.objects.filter(pk=anna.pk).update(phone=NEW, first_name="Ann")
    assert tomorrow.comes() == {(NEW, "Dear Ann")}
    shown = tomorrow.look("messages", made)
    assert (shown["to"], shown["member"]["id"]) == (NEW, encode(anna.pk))
    talks = {talk.phone: talk for talk in Conversation.objects.all()}
    assert encode(talks[NEW].pk) == shown["conversation"]
    assert talks[NEW].last_message == Message.objects.get()
    assert talks[anna.phone].last_message is None


def test_deleting_the_member_cancels_the_text_in_the_same_transaction(
    tomorrow: Tomorrow, named: dict[str, Any], anna: Member
) -> None:
    made = tomorrow.text(**named)
    answer = tomorrow.client.delete(f"{G}members/{encode(anna.pk)}/")
    assert (answer.status_code, answer["Cancelled-Messages"]) == (204, "1")
    shown = tomorrow.look("messages", made)
    assert (shown["status"], shown["member"]) == ("cancelled", None)
    assert shown["error"]["code"] == "recipient_deleted"
    (told,) = events("message.status")
    assert (told["message"], told["status"]) == (made["id"], "cancelled")
    assert tomorrow.comes() == set()


def test_a_leased_text_of_a_deleted_member_is_not_sent_later(
    tomorrow: Tomorrow, anna: Member
) -> None:
    made = tomorrow.text(member=encode(anna.pk))
    held = claim_one(Message.objects.get().pk, timezone.now())
    assert held is not None
    anna.delete()
    put_back([held])
    assert tomorrow.comes() == set()
    assert tomorrow.look("messages", made)["status"] == "cancelled"


def test_a_dead_letter_to_a_deleted_member_is_not_sent_again(
    tomorrow: Tomorrow, anna: Member
) -> None:
    made = tomorrow.text(member=encode(anna.pk))
    refused = SendOutcome(kind=Outcome.PERMANENT, code="40301", http_status=400)
    tomorrow.provider._answers = [refused]
    tomorrow.comes()
    anna.delete()
    again = tomorrow.client.post(f"{G}dead-letters/{made['id']}/retry/")
    assert (again.status_code, "deleted" in again.json()["detail"]) == (409, True)


def test_an_opt_out_of_the_new_number_counts(
    tomorrow: Tomorrow, grace: Church, anna: Member
) -> None:
    made = tomorrow.text(member=encode(anna.pk))
    Member.objects.filter(pk=anna.pk).update(phone=NEW)
    opt_outs.opt_out(grace.pk, NEW, OptOut.Source.KEYWORD, now=timezone.now())
    assert tomorrow.comes() == set()
    assert tomorrow.look("messages", made)["status"] == "suppressed"


def test_the_sending_number_is_read_at_the_due_time(
    tomorrow: Tomorrow, grace: Church, anna: Member
) -> None:
    made = tomorrow.text(member=encode(anna.pk))
    Church.objects.filter(pk=grace.pk).update(phone_number="+13125550199")
    tomorrow.comes()
    assert tomorrow.look("messages", made)["from"] == "+13125550199"


def test_a_text_to_a_number_without_a_member_keeps_the_number(tomorrow: Tomorrow) -> None:
    tomorrow.text("Hello from {church}", to="+13125550155")
    assert tomorrow.comes() == {("+13125550155", "Hello from Grace Church")}


def test_a_text_with_an_attempt_never_changes(
    tomorrow: Tomorrow, grace: Church, anna: Member
) -> None:
    """Compare the bytes of both calls: they share an Idempotency-Key."""
    tomorrow.text(member=encode(anna.pk))
    lost = SendOutcome(kind=Outcome.AMBIGUOUS, code="answer_lost", reached=False)
    tomorrow.provider._answers = [lost, SendOutcome(kind=Outcome.ACCEPTED, provider_id="p")]
    drain = tomorrow.drain()
    drain.step()
    drain.settle(5)
    Member.objects.filter(pk=anna.pk).update(phone=NEW, first_name="Ann")
    Church.objects.filter(pk=grace.pk).update(phone_number="+13125550199")
    drain.run(budget=5)
    assert len({body(request) for request in tomorrow.provider.requests}) == 1
    assert Message.objects.get().to_number == anna.phone


def test_a_name_that_became_too_long_makes_a_dead_letter(tomorrow: Tomorrow, anna: Member) -> None:
    made = tomorrow.text("{first_name} " + "x" * 1500, member=encode(anna.pk))
    Member.objects.filter(pk=anna.pk).update(first_name="A" * 40)
    assert tomorrow.comes() == set()
    shown = tomorrow.look("messages", made)
    assert (shown["status"], shown["error"]["code"]) == ("dead", "text_too_long")


def test_a_failing_redraft_does_not_block_other_texts(
    tomorrow: Tomorrow, anna: Member, ben: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tomorrow.text("Bad {first_name}", member=encode(anna.pk))
    tomorrow.text("Good {first_name}", member=encode(ben.pk))

    def fails(template: str, church: Church) -> Composer:
        if template.startswith("Bad"):
            raise LookupError
        return Composer(template, church)

    monkeypatch.setattr("koinonia.texts.redraft.Composer", fails)
    assert tomorrow.comes() == {(ben.phone, "Good Ben")}
    assert tomorrow.look("messages", bad)["error"]["code"] == "not_addressed"


def test_a_scheduled_text_of_an_earlier_release_is_sent_unchanged(
    tomorrow: Tomorrow, grace: Church, anna: Member
) -> None:
    now = timezone.now()
    accept_message(
        grace, Draft(to=anna.phone, text="Hello Anna", recipient_id=anna.pk),
        scheduled_at=tomorrow.at, now=now,
    )  # fmt: skip
    assert Message.objects.get().status == Status.SCHEDULED
    Member.objects.filter(pk=anna.pk).update(phone=NEW)
    assert tomorrow.comes() == {(NEW, "Hello Anna")}


def test_a_text_waits_while_its_church_has_no_number(
    tomorrow: Tomorrow, anna: Member, grace: Church
) -> None:
    made = tomorrow.text(member=encode(anna.pk))
    sending_numbers.take(str(grace.phone_number), now=timezone.now())
    assert tomorrow.comes() == set()
    assert tomorrow.look("messages", made)["status"] == "scheduled"
    sending_numbers.give(grace, "+13125550188", now=timezone.now())
    Member.objects.filter(pk=anna.pk).update(first_name="Ann")
    tomorrow.at += timedelta(minutes=2)
    assert tomorrow.comes() == {(anna.phone, "Dear Ann")}
    assert tomorrow.look("messages", made)["from"] == "+13125550188"


def test_a_text_of_a_church_without_a_number_can_expire_and_be_cancelled(
    tomorrow: Tomorrow, anna: Member, ben: Member, grace: Church
) -> None:
    old, orphan = (tomorrow.text(member=encode(member.pk)) for member in (anna, ben))
    sending_numbers.take(str(grace.phone_number), now=timezone.now())
    Message.objects.filter(recipient=ben).update(recipient_gone=True)
    assert tomorrow.comes() == set()
    assert tomorrow.look("messages", orphan)["status"] == "cancelled"
    tomorrow.at += timedelta(days=1)
    assert tomorrow.comes() == set()
    assert tomorrow.look("messages", old)["status"] == "expired"


def test_an_empty_text_is_a_dead_letter(tomorrow: Tomorrow, anna: Member) -> None:
    made = tomorrow.text("{last_name}", member=encode(anna.pk))
    Member.objects.filter(pk=anna.pk).update(last_name="")
    assert tomorrow.comes() == set()
    shown = tomorrow.look("messages", made)
    assert (shown["status"], shown["error"]["code"]) == ("dead", "text_empty")
