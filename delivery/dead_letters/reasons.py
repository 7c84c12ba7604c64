"""Sentences for people: why a message is a dead letter, and why it is not retried."""

from __future__ import annotations

from delivery.providers import registry
from delivery.remedies import Remedy, by_class

EXPLANATIONS = {
    "answer_lost": "The connection broke before the provider answered. The text may have arrived.",
    "bug": "The program has a fault. The text may have arrived: tell the developers.",
    "connection_failed": "The provider could not be reached, four times. The text did not arrive.",
    "crash_loop": "Our worker stopped each time it took this text. Tell the developers.",
    "destination_refused": "Texts to this country or kind of number are not switched on here.",
    "expired": "It expired before it could be sent.",
    "id_given_twice": "The provider gave an id that another text has. The text may have arrived.",
    "daily_cap": "The texts of the last 24 hours have reached the daily limit. It waits.",
    "not_addressed": "Its recipient could not be determined when it was due.",
    "not_in_audience": "The member had left the audience before it was due.",
    "number_twice": "Another text of the same broadcast goes to this number.",
    "quiet_hours": "It is late where this number is. It goes out when the quiet hours end.",
    "recipient_deleted": "The recipient was deleted before it was due.",
    "text_empty": "The text was empty for this person: the name is missing.",
    "text_too_long": "The text was too long for this person.",
    "restored": "The database was restored from a backup. The text may have been sent before that.",
    "unreadable_answer": "The provider's answer was unreadable. The text may have arrived.",
    "worker_lost": "Our worker stopped during the call. The text may have arrived.",
}
"""The engine's codes. Each provider explains its codes in a separate table."""

REMEDIES = {
    "answer_lost": Remedy.ASK_PERSON,
    "bug": Remedy.ASK_SUPPORT,
    "connection_failed": Remedy.RETRY_LATER,
    "crash_loop": Remedy.ASK_SUPPORT,
    "destination_refused": Remedy.ASK_SUPPORT,
    "expired": Remedy.WRITE_AGAIN,
    "id_given_twice": Remedy.ASK_PERSON,
    "daily_cap": Remedy.NOTHING,
    "not_addressed": Remedy.ASK_SUPPORT,
    "not_in_audience": Remedy.NOTHING,
    "number_twice": Remedy.NOTHING,
    "quiet_hours": Remedy.NOTHING,
    "recipient_deleted": Remedy.NOTHING,
    "text_empty": Remedy.COMPLETE_NAME,
    "text_too_long": Remedy.CHANGE_TEXT,
    "restored": Remedy.ASK_PERSON,
    "unreadable_answer": Remedy.ASK_PERSON,
    "worker_lost": Remedy.ASK_PERSON,
}
"""A remedy for each code of ``EXPLANATIONS``."""

REFUSALS = {
    "opted_out": "The recipient has opted out.",
    "sending": "A worker is sending it now.",
    "not_dead": "It is no longer in the queue.",
    "discarded": "It was discarded.",
    "recipient_deleted": "The recipient was deleted.",
    "may_double_required": "It may have arrived, and a second copy was not allowed.",
}
"""The reasons for which :func:`delivery.dead_letters.retry` refuses a message."""


def explain(code: str, provider: str) -> str:
    """Return a sentence about ``code``, from the engine or from the provider (an alias)."""
    if not code:
        return "No reason was given."
    unknown = f"The provider refused it with code {code}, which we do not know yet."
    try:
        return EXPLANATIONS.get(code) or registry.get(provider).explain(code) or unknown
    except registry.UnknownProviderError:
        return unknown


def remedy(code: str, provider: str, error_class: str) -> Remedy:
    """Return the remedy for ``code``, from the engine or from the provider (an alias)."""
    if code in REMEDIES:
        return REMEDIES[code]
    try:
        known = registry.get(provider).remedy(code)
    except registry.UnknownProviderError:
        known = None
    return known or by_class(error_class)
