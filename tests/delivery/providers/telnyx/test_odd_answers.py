"""Answers of the provider with characters that no database can store."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from delivery.models import Message, Outcome, Priority
from delivery.providers.one_call import HttpAnswer
from delivery.providers.telnyx.answer import outcome as read_outcome
from delivery.queue.claim import claim
from delivery.queue.turns import Turn
from delivery.settle import Result, settle
from koinonia.models import Church
from tests.delivery.engine.scripted import write

pytestmark = pytest.mark.django_db(transaction=True)
ODD = "a\x00b\ud800c"


def test_an_unstorable_error_is_cleaned_before_it_is_written(grace: Church) -> None:
    write(grace)
    [message] = claim(Turn(grace.pk, Priority.REPLY, "telnyx"), 1, timezone.now())
    body = json.dumps({"errors": [{"code": ODD, "title": ODD}]}).encode()
    told = read_outcome(HttpAnswer(400, {}, body))
    settle([Result(message, told, timezone.now(), 0.1)], timezone.now())
    assert Message.objects.values_list("error_code", "error_title").get() == ("ab?c", "ab?c")


@pytest.mark.parametrize("provider_id", ["4031\x00", "4031\ud800", ODD])
def test_an_unstorable_id_counts_as_none(provider_id: str) -> None:
    told = read_outcome(HttpAnswer(200, {}, json.dumps({"data": {"id": provider_id}}).encode()))
    assert (told.kind, told.code) == (Outcome.AMBIGUOUS, "unreadable_answer")
