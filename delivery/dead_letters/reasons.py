"""Sentences for people: why a message is a dead letter, and why it is not retried."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from delivery.providers import registry
from delivery.remedies import Remedy, by_class

EXPLANATIONS: dict[str, str | Promise] = {
    "answer_lost": _(
        "The connection broke before the provider answered. The text may have arrived."
    ),
    "bug": _("The program has a fault. The text may have arrived: tell the developers."),
    "connection_failed": _(
        "The provider could not be reached, four times. The text did not arrive."
    ),
    "crash_loop": _("Our worker stopped each time it took this text. Tell the developers."),
    "destination_refused": _("Texts to this country or kind of number are not switched on here."),
    "expired": _("It expired before it could be sent."),
    "id_given_twice": _(
        "The provider gave an id that another text has. The text may have arrived."
    ),
    "daily_cap": _("The texts of the last 24 hours have reached the daily limit. It waits."),
    "not_addressed": _("Its recipient could not be determined when it was due."),
    "not_in_audience": _("The member had left the audience before it was due."),
    "number_twice": _("Another text of the same broadcast goes to this number."),
    "quiet_hours": _("It is late where this number is. It goes out when the quiet hours end."),
    "recipient_deleted": _("The recipient was deleted before it was due."),
    "text_empty": _("The text was empty for this person: the name is missing."),
    "text_too_long": _("The text was too long for this person."),
    "restored": _(
        "The database was restored from a backup. The text may have been sent before that."
    ),
    "unreadable_answer": _("The provider's answer was unreadable. The text may have arrived."),
    "worker_lost": _("Our worker stopped during the call. The text may have arrived."),
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

REFUSALS: dict[str, str | Promise] = {
    "opted_out": _("The recipient has opted out."),
    "sending": _("A worker is sending it now."),
    "not_dead": _("It is no longer in the queue."),
    "discarded": _("It was discarded."),
    "recipient_deleted": _("The recipient was deleted."),
    "may_double_required": _("It may have arrived, and a second copy was not allowed."),
}
"""The reasons for which :func:`delivery.dead_letters.retry` refuses a message."""


def explain(code: str, provider: str) -> str:
    """Return a sentence about ``code``, from the engine or from the provider (an alias)."""
    if not code:
        return str(_("No reason was given."))
    try:
        known = EXPLANATIONS.get(code) or registry.get(provider).explain(code)
    except registry.UnknownProviderError:
        known = ""
    unknown = _("The provider refused it with code %(code)s, which we do not know yet.")
    return str(known or unknown % {"code": code})


def by_remedy(provider: str) -> dict[Remedy, list[str]]:
    """Return each sentence of the engine and of the provider (an alias) once, by its remedy."""
    found: dict[Remedy, dict[str, None]] = {}
    for code, sentence in EXPLANATIONS.items():
        found.setdefault(REMEDIES[code], {})[str(sentence)] = None
    try:
        adapter = registry.get(provider)
    except registry.UnknownProviderError:
        return {one: [*sentences] for one, sentences in found.items()}
    for code, known in adapter.remedies().items():
        found.setdefault(known, {})[adapter.explain(code)] = None
    return {one: [*sentences] for one, sentences in found.items()}


def remedy(code: str, provider: str, error_class: str) -> Remedy:
    """Return the remedy for ``code``, from the engine or from the provider (an alias)."""
    if code in REMEDIES:
        return REMEDIES[code]
    try:
        known = registry.get(provider).remedy(code)
    except registry.UnknownProviderError:
        known = None
    return known or by_class(error_class)
