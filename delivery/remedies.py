"""Remedies: the kinds of advice after a text was not delivered."""

from __future__ import annotations

from enum import StrEnum

from delivery.models.attempt import Outcome


class Remedy(StrEnum):
    """An act that may help after a text was not delivered. The host writes the sentences."""

    CORRECT_NUMBER = "correct_number"
    """The number is certainly wrong."""
    CHECK_NUMBER = "check_number"
    """The number may be wrong, or the phone was off."""
    CALL_PERSON = "call_person"
    """This phone cannot get the text."""
    CHANGE_TEXT = "change_text"
    """The text or its pictures cannot be sent as they are."""
    COMPLETE_NAME = "complete_name"
    """The text needs a name that the recipient does not have."""
    ASK_SUPPORT = "ask_support"
    """The installation, the account or the sending number needs a change."""
    RETRY_LATER = "retry_later"
    """The cause passes."""
    ASK_PERSON = "ask_person"
    """The text may have arrived."""
    WRITE_AGAIN = "write_again"
    """The time of the text is over."""
    NOTHING = "nothing"
    """Only the recipient can act, or the engine sends the text later."""


_BY_CLASS = {
    Outcome.CONFIGURATION.value: Remedy.ASK_SUPPORT,
    Outcome.RETRYABLE.value: Remedy.RETRY_LATER,
    Outcome.THROTTLED.value: Remedy.RETRY_LATER,
    Outcome.AMBIGUOUS.value: Remedy.ASK_PERSON,
}


def by_class(error_class: str) -> Remedy:
    """Return the remedy for a code that has none in the tables."""
    return _BY_CLASS.get(error_class, Remedy.CHECK_NUMBER)
