from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery import opt_outs
from delivery.accept import UnacceptableError, accept_batch, accept_message
from delivery.cancel import cancel_batch, cancel_message
from delivery.drafts import Draft
from delivery.models import Message, OptOut
from delivery.signals import messages_changed
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.accounts import with_provider
from tests.delivery.engine.scripted import LOST, drain, write

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def heard() -> Any:
    """Collect the signals ``messages_changed``: per signal a list of (status, previous)."""
    told: list[list[tuple[str, str]]] = []

    def hear(changes: Any, **_: Any) -> None:
        told.append([(change.message.status, change.previous) for change in changes])

    messages_changed.connect(hear)
    yield told
    messages_changed.disconnect(hear)


@pytest.mark.parametrize(
    ("field", "draft"),
    [
        ("text", Draft(to="+13125550001", text="  ")),
        ("text", Draft(to="+13125550001", text="x" * 1531)),
        ("text", Draft(to="+13125550001", text="ł" * 671)),
        ("text", Draft(to="+13125550001", text="a\x00b")),
        ("text", Draft(to="+13125550001", text="\ud800")),
        ("media_urls", Draft(to="+13125550001", text="", media_urls=("ftp://x/y",))),
        ("media_urls", Draft(to="+13125550001", text="", media_urls=("http://[",))),
        ("media_urls", Draft(to="+13125550001", text="", media_urls=("https://x/y",) * 11)),
    ],
)
def test_an_unacceptable_draft_is_refused_with_its_field(
    grace: Church, field: str, draft: Draft
) -> None:
    with pytest.raises(UnacceptableError) as refused:
        accept_message(grace, draft, now=timezone.now())
    assert refused.value.field == field
    assert not Message.objects.exists()


def test_an_expiry_before_the_due_time_is_refused(grace: Church) -> None:
    now = timezone.now()
    with pytest.raises(UnacceptableError) as refused:
        write(grace, now=now, scheduled_at=now + HOUR, expires_at=now + HOUR)
    assert refused.value.field == "expires_at"


def test_a_repeated_number_in_a_broadcast_gets_one_message(grace: Church) -> None:
    drafts = [Draft(to="+13125550001", text="first"), Draft(to="+13125550001", text="second")]
    assert accept_batch(grace, drafts, batch=7, now=timezone.now()).counts == {"queued": 1}
    assert Message.objects.get().text == "first"


def test_opt_outs_are_checked_at_acceptance_and_at_the_claim(grace: Church) -> None:
    now = timezone.now()
    late = write(grace, to="+13125550002")
    opt_outs.opt_out(grace.pk, "+13125550001", OptOut.Source.STAFF, now=now)
    opt_outs.opt_out(grace.pk, "+13125550002", OptOut.Source.KEYWORD, now=now)
    assert write(grace, to="+13125550001").status == Status.SUPPRESSED
    provider = ScriptedProvider()
    drain(provider).run()
    late.refresh_from_db()
    assert (late.status, provider.requests) == (Status.SUPPRESSED, [])


def test_a_scheduled_text_waits_for_its_time(grace: Church) -> None:
    now = timezone.now()
    message = write(grace, now=now, scheduled_at=now + HOUR)
    provider = ScriptedProvider()
    drain(provider).run()
    assert (message.status, provider.requests) == (Status.SCHEDULED, [])
    drain(provider, clock=lambda: now + HOUR).run()
    message.refresh_from_db()
    assert message.status == Status.ACCEPTED


def test_an_old_message_expires_unsent(grace: Church) -> None:
    now = timezone.now()
    message = write(grace, now=now, expires_at=now + HOUR)
    provider = ScriptedProvider()
    drain(provider, clock=lambda: now + HOUR).run()
    message.refresh_from_db()
    assert (message.status, provider.requests) == (Status.EXPIRED, [])


def test_a_waiting_message_can_be_cancelled_once(grace: Church) -> None:
    message = write(grace)
    assert cancel_message(message, now=timezone.now())
    assert not cancel_message(message, now=timezone.now())
    message.refresh_from_db()
    assert message.status == Status.CANCELLED


def test_an_ambiguous_message_cannot_be_cancelled(grace: Church) -> None:
    message = write(grace)
    drain(ScriptedProvider(answers=[LOST])).run()
    assert not cancel_message(message, now=timezone.now())


def test_cancelling_a_broadcast_keeps_sent_messages(grace: Church) -> None:
    drafts = [Draft(to=f"+1312555{number:04}", text="Hello") for number in range(3)]
    accept_batch(grace, drafts, batch=7, now=timezone.now())
    Message.objects.filter(pk=Message.objects.earliest("pk").pk).update(status=Status.DELIVERED)
    assert cancel_batch(grace.pk, 7, now=timezone.now()) == 2


def test_each_change_is_signalled_once_and_sending_never(
    grace: Church, heard: list[list[tuple[str, str]]]
) -> None:
    write(grace)
    drain(ScriptedProvider()).run()
    assert heard == [[("queued", "")], [("accepted", "queued")]]


def test_in_sync_mode_a_text_is_sent_inside_the_request(
    grace: Church, settings: Any, heard: list[list[tuple[str, str]]]
) -> None:
    settings.DELIVERY = {
        **with_provider(settings, BACKEND="delivery.testing.ScriptedProvider"), "MODE": "sync",
    }  # fmt: skip
    message = write(grace)
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Status.ACCEPTED, 1)
    assert heard == [[("queued", "")], [("accepted", "queued")]]


def test_in_sync_mode_a_temporary_failure_ends_dead(grace: Church, settings: Any) -> None:
    settings.DELIVERY = {**with_provider(settings, API_BASE="http://127.0.0.1:9"), "MODE": "sync"}
    message = write(grace)
    message.refresh_from_db()
    assert (message.status, message.error_code) == (Status.DEAD, "connection_failed")


def test_in_sync_mode_queued_messages_are_still_drained(grace: Church, settings: Any) -> None:
    message = write(grace)
    settings.DELIVERY = {**settings.DELIVERY, "MODE": "sync"}
    drain(ScriptedProvider()).run()
    message.refresh_from_db()
    assert message.status == Status.ACCEPTED
