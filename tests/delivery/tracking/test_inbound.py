from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from delivery.changes import Change
from delivery.models import Message, OptOut, WebhookEvent
from delivery.opt_outs import opted_out
from delivery.signals import messages_changed
from delivery.tracking import apply_waiting_events
from koinonia.models import Church
from tests.delivery.tracking.conftest import MEMBER, NOW, MakeMessage, store
from tests.delivery.webhooks.signing import event, inbound, outbound
from tests.support import cast

pytestmark = pytest.mark.django_db

FORMER = "+13125559999"
"""A number that belongs to no church at present."""


def hear(text: str | None, *, provider_id: str = "in1", at: int = 0, **over: Any) -> None:
    occurred_at = (NOW + timedelta(seconds=at)).isoformat()
    store(event("message.received", inbound(provider_id, text, **over), occurred_at=occurred_at))


def apply() -> None:
    apply_waiting_events(NOW + timedelta(minutes=1))


def test_a_text_to_a_church_becomes_a_received_row_of_its_member(
    grace: Church, hope: Church
) -> None:
    cast.member(hope, "Ruth", MEMBER)
    ruth = cast.member(grace, "Ruth", MEMBER)
    heard: list[Change] = []

    def listen(changes: list[Change], **_: Any) -> None:
        heard.extend(changes)

    messages_changed.connect(listen)
    try:
        hear("See you there 🙏")
        apply()
    finally:
        messages_changed.disconnect(listen)
    text = Message.objects.get()
    assert (text.tenant_id, text.recipient_id, text.direction, text.status) == (
        grace.pk, ruth.pk, "inbound", "received",
    )  # fmt: skip
    assert (text.from_number, text.to_number, text.text, text.encoding) == (
        MEMBER, grace.phone_number, "See you there 🙏", "UCS-2",
    )  # fmt: skip
    assert [(change.created, change.message.pk) for change in heard] == [(True, text.pk)]


def test_a_picture_without_words_is_received(grace: Church) -> None:
    hear(None, media=[{"url": "https://media.telnyx.com/1.jpg"}, {"url": None}, "x"])
    apply()
    text = Message.objects.get()
    assert (text.text, text.media_urls) == ("", ["https://media.telnyx.com/1.jpg"])


def test_a_text_to_an_unknown_number_stays_an_event(grace: Church) -> None:
    hear("Hello", to=[{"phone_number": FORMER}])
    apply_waiting_events(NOW + timedelta(hours=2))
    assert not Message.objects.exists()
    assert WebhookEvent.objects.get().result == "not_ours"


def test_a_text_is_received_when_its_number_gets_a_church_soon(grace: Church) -> None:
    hear("Hello", to=[{"phone_number": FORMER}])
    apply()
    assert WebhookEvent.objects.waiting().count() == 1
    Church.objects.update(phone_number=FORMER)
    apply_waiting_events(NOW + timedelta(minutes=10))
    assert Message.objects.get().tenant_id == grace.pk


@pytest.mark.parametrize("stopped", [True, False])
def test_a_reply_to_a_former_number_reaches_the_church_that_used_it(
    stopped: bool, grace: Church, hope: Church, message: MakeMessage
) -> None:
    message(from_number=FORMER, tenant=hope)
    message(from_number=FORMER)
    message(from_number=FORMER, tenant=hope, to_number="+13125550002")
    hear("STOP" if stopped else "Thank you", to=[{"phone_number": FORMER}])
    apply()
    text = Message.objects.get(direction="inbound")
    assert (text.tenant_id, text.to_number) == (grace.pk, FORMER)
    assert bool(opted_out(grace.pk, [MEMBER])) == stopped
    assert not opted_out(hope.pk, [MEMBER])


def test_a_reassigned_number_belongs_to_its_new_church(
    grace: Church, hope: Church, message: MakeMessage
) -> None:
    message(from_number=FORMER)
    Church.objects.filter(pk=hope.pk).update(phone_number=FORMER)
    hear("Hello", to=[{"phone_number": FORMER}])
    apply()
    assert Message.objects.get(direction="inbound").tenant_id == hope.pk


def test_the_same_text_in_two_events_is_received_once(grace: Church) -> None:
    hear("Hello")
    hear("Hello")
    apply()
    hear("Hello")
    apply()
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    "word",
    [
        "STOP", "stop", " Stop \n", "stopall", "Stop  All", "UNSUBSCRIBE", "cancel", "End", "quit",
        "REVOKE", "OPTOUT", "opt out", "OPT-OUT", "REMOVE", "Stop.", "STOP!", "unsubscribe.", "quit!",
        "Stop\n\nSent from my iPhone",
    ],
)  # fmt: skip
def test_a_stop_word_opts_out_of_this_church_alone(word: str, grace: Church, hope: Church) -> None:
    hear(word)
    apply()
    assert opted_out(grace.pk, [MEMBER]) == {MEMBER}
    assert opted_out(hope.pk, [MEMBER]) == set()


@pytest.mark.parametrize(
    "text", ["please stop all messages", "yes", "help", "", "stop it", "we must stop for bread"]
)
def test_other_words_do_not_opt_out(text: str, grace: Church) -> None:
    hear(text)
    apply()
    assert not OptOut.objects.exists()


def test_a_stop_recognised_by_the_provider_opts_out(grace: Church) -> None:
    hear("Arrêt", autoresponse_type="STOP")
    apply()
    assert OptOut.objects.get().source == "keyword"


@pytest.mark.parametrize("word", ["START", "unstop", "Start!", "“START”\nThank you"])
def test_start_ends_an_opt_out_of_any_source(word: str, grace: Church) -> None:
    OptOut.objects.create(
        tenant=grace, number=MEMBER, source="staff", created_at=NOW - timedelta(days=1)
    )
    hear(word)
    apply()
    assert not OptOut.objects.exists()


@pytest.mark.parametrize(
    ("words", "stopped"),
    [
        ([("STOP", 1), ("START", 2)], False),
        ([("START", 2), ("STOP", 1)], False),
        ([("START", 1), ("STOP", 2)], True),
        ([("STOP", 2), ("START", 1)], True),
        ([("STOP", 1), ("STOP", 3), ("START", 2)], True),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_the_newest_keyword_counts_in_any_order_of_arrival(
    words: list[tuple[str, int]], stopped: bool, together: bool, grace: Church
) -> None:
    for number, (word, at) in enumerate(words):
        hear(word, provider_id=f"in{number}", at=at)
        if not together:
            apply()
    apply()
    assert OptOut.objects.exists() == stopped


def test_a_stop_does_not_wait_behind_the_reports_of_a_broadcast(
    grace: Church,
) -> None:
    for number in range(5):
        store(event("message.sent", outbound(f"p{number}", "sent")))
    store(event("message.received", inbound("in1", "STOP")))
    apply_waiting_events(NOW + timedelta(minutes=1), limit=1)
    assert opted_out(grace.pk, [MEMBER])
