"""Requests to stop without a STOP word, RCS, and numbers that moved between churches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from delivery.models import Message, OptOut
from delivery.opt_outs import opted_out
from delivery.opt_outs.stop_requests import asks_to_stop
from delivery.tracking import apply_waiting_events
from koinonia.models import Church
from tests.delivery.tracking.conftest import MEMBER, NOW, MakeMessage, store
from tests.delivery.webhooks.signing import event, inbound

pytestmark = pytest.mark.django_db

FORMER = "+13125559999"


def hear(text: str | None, *, provider_id: str = "in1", **over: Any) -> None:
    store(event("message.received", inbound(provider_id, text, **over)))
    apply_waiting_events(NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    "text",
    [
        "please stop texting me", "Stop sending me messages", "stop these texts", "Please stop all messages",
        "don’t text me any more", "Do not contact me again.", "Take me off your list", "stop it",
        "remove me from this list please", "remove my number", "I don't want these texts", "no more texts!",
        "please unsubscribe me", "How do I opt out?", "You have the wrong number", "stop please", "please stop",
        "Por favor dejen de enviarme mensajes", "No me manden más mensajes", "no quiero más mensajes",
        "Stop. Thank you", "stop sending me this", "cancel my subscription", "Please end these texts", "I revoke my consent",
        "Who is this? Wrong number!", "Quíteme de la lista", "quiero darme de baja", "I do not wish to receive text messages",
        "STOP TEXTS", "Stop messages", "Reply STOP", "Unsubscribe please", "Opt out please", "Please cancel", "Remove, please",
        "Stop - sent from my Samsung", "Unsubcribe", "dont txt me", "Favor de no mandar mensajes", "ALTO", "Parar.", "Arrêt",
        "СТОП", "수신거부", "그만", "退订", "Hủy", "Número incorrecto", "I moved away, please remove",
    ],
)  # fmt: skip
def test_a_request_in_other_words_is_marked_without_an_opt_out(text: str, grace: Church) -> None:
    hear(text)
    assert Message.objects.get().asks_to_stop
    assert not OptOut.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "we must stop for bread", "Can you stop by the office?", "We should stop texting while driving",
        "Remove me from the nursery schedule", "Take me off the bake sale", "I don't want pizza",
        "Will you stop sending the kids to camp?", "Let us end the messages series", "Cancel the texts for Bob",
        "Thanks for the text", "Don't message the pastor yet", "no more cookies", "STOP", "", "help",
        "Do not text and drive", "Me dejas de comer", "Cancel my ride please", "Stop texts come from whom?",
        "Alto Saxophone", "Please remove the chairs", "Salir a las 9", "The end", "We stopped at your list of songs", "See you Sunday",
    ],
)  # fmt: skip
def test_ordinary_sentences_and_stop_words_are_not_marked(text: str, grace: Church) -> None:
    hear(text)
    assert not Message.objects.get().asks_to_stop


@pytest.mark.parametrize("text", ["stop " * 5000, "no more " * 3000, "a" * 100_000])
def test_a_long_text_is_read_quickly(text: str) -> None:
    assert asks_to_stop(text) is False


@pytest.mark.parametrize(
    ("body", "text", "stopped"),
    [
        ({"text": "Stop."}, "Stop.", True),
        ({"text": {"body": "REVOKE"}}, "REVOKE", True),
        ({"suggestion_response": {"text": "No more of this", "postback_data": "STOP"}}, "No more of this", True),
        ({"suggestion_response": {"text": "Stop", "postback_data": "x_17"}}, "Stop", True),
        ({"text": "Hello"}, "Hello", False),
        ({"location": {"latitude": 41.87811, "longitude": -87.6298}}, "Location: 41.87811, -87.62980", False),
        ({"location": {"latitude": "x", "longitude": None}}, "", False),
        ({"text": 7}, "", False),
        ("STOP", "", False),
    ],
)  # fmt: skip
def test_an_rcs_body_is_read(body: Any, text: str, stopped: bool, grace: Church) -> None:
    hear(None, body=body, type="RCS")
    assert Message.objects.get().text == text
    assert bool(opted_out(grace.pk, [MEMBER])) == stopped


def test_a_text_to_an_rcs_agent_belongs_to_the_last_sender(
    grace: Church, hope: Church, message: MakeMessage
) -> None:
    message(tenant=hope, from_number=hope.phone_number)
    message()
    hear(None, body={"text": "stop"}, to=[{"agent_id": "e4448a5c0670c2a9", "agent_name": "Grace"}])
    text = Message.objects.get(direction="inbound")
    assert (text.tenant_id, text.to_number) == (grace.pk, grace.phone_number)
    assert opted_out(grace.pk, [MEMBER])
    assert not opted_out(hope.pk, [MEMBER])


def test_a_file_sent_by_rcs_is_kept_as_a_link(grace: Church) -> None:
    files = {
        "payload": {"file_uri": "https://rcs.example.org/a.jpg"},
        "thumbnail": {"file_uri": "x"},
    }
    hear(None, body={"user_file": files})
    assert Message.objects.get().media_urls == ["https://rcs.example.org/a.jpg"]


def test_a_picture_with_words_keeps_both(grace: Church) -> None:
    hear(
        "Our new roof",
        media=[{"url": "https://media.example.org/1.jpg", "content_type": "image/jpeg"}],
    )
    text = Message.objects.get()
    assert (text.text, text.media_urls) == ("Our new roof", ["https://media.example.org/1.jpg"])


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://", "https://a b/", "http://[", "https://a/\u202e"])  # fmt: skip
def test_an_invalid_link_is_not_kept(url: str, grace: Church) -> None:
    hear("Look", media=[{"url": url}])
    assert Message.objects.get().media_urls == []


def test_a_stop_also_counts_for_the_last_church_on_this_number(
    grace: Church, hope: Church, message: MakeMessage
) -> None:
    message(from_number=FORMER)
    Church.objects.filter(pk=hope.pk).update(phone_number=FORMER)
    hear("Stop!", to=[{"phone_number": FORMER}])
    assert opted_out(grace.pk, [MEMBER]) == opted_out(hope.pk, [MEMBER]) == {MEMBER}
    assert Message.objects.get(direction="inbound").tenant_id == hope.pk


def test_a_stop_counts_for_the_new_church_alone_if_it_sent_last(
    grace: Church, hope: Church, message: MakeMessage
) -> None:
    message(from_number=FORMER)
    Church.objects.filter(pk=hope.pk).update(phone_number=FORMER)
    message(from_number=FORMER, tenant=hope)
    hear("Stop!", to=[{"phone_number": FORMER}])
    assert opted_out(hope.pk, [MEMBER])
    assert not opted_out(grace.pk, [MEMBER])


@pytest.mark.parametrize("stopped", [True, False])
def test_words_of_a_church_count_for_it_alone(stopped: bool, grace: Church, hope: Church) -> None:
    Church.objects.filter(pk=(grace if stopped else hope).pk).update(
        opt_out_words="ALTO, parar ,Arrêt"
    )
    hear("¡Alto!")
    assert bool(opted_out(grace.pk, [MEMBER])) == stopped
