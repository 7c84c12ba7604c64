"""The advice of the console about texts that were not delivered."""

from __future__ import annotations

import pytest

from delivery.dead_letters import reasons
from delivery.models import Message
from delivery.providers.telnyx import codes as telnyx
from delivery.providers.twilio import codes as twilio
from delivery.remedies import Remedy, by_class
from delivery.statuses import Status
from koinonia.console import words

REMEDIES = {
    **{sentence: reasons.remedy(code, "", "") for code, sentence in reasons.EXPLANATIONS.items()},
    **{
        known.sentence: known.remedy or by_class(known.outcome.value)
        for known in twilio.CODES.values()
    },
    **{
        sentence: reasons.remedy(code, "telnyx", telnyx.CODES[code].kind.value)
        for code, sentence in telnyx.EXPLANATIONS.items()
        if code in telnyx.CODES
    },
}


@pytest.mark.parametrize("sentence", REMEDIES)
def test_the_advice_fits_the_reason(sentence: str) -> None:
    remedy = REMEDIES[sentence]
    advice = str(words.ADVICE[remedy])
    assert not advice or advice not in sentence
    if "developers" in sentence or "Support must" in sentence:
        assert remedy == Remedy.ASK_SUPPORT
    if "may have arrived" in sentence and remedy != Remedy.ASK_SUPPORT:
        assert remedy in (Remedy.ASK_PERSON, Remedy.RETRY_LATER)
    if "number" in advice:
        assert "text is" not in sentence


def test_each_code_of_the_engine_has_a_remedy() -> None:
    assert reasons.REMEDIES.keys() == reasons.EXPLANATIONS.keys()
    assert words.ADVICE.keys() == set(Remedy)


def test_a_code_without_a_remedy_has_that_of_its_class() -> None:
    assert reasons.remedy("99999", "telnyx", "configuration") == Remedy.ASK_SUPPORT
    assert reasons.remedy("49999", "telnyx", "carrier") == Remedy.CHECK_NUMBER
    assert reasons.remedy("40002", "a former provider", "throttled") == Remedy.RETRY_LATER


def test_only_a_text_that_ended_undelivered_has_advice() -> None:
    assert words.remedy_for(Message(status=Status.RETRYING, error_code="connection_failed")) == ""
    assert "Send it again" in str(
        words.remedy_for(Message(status=Status.DEAD, error_code="connection_failed"))
    )
