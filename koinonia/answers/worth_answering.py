"""Tell texts of people, which may get an automatic answer, from texts of programs.

Two programs that answer in turn do not end. One answer in 12 hours is the bound for programs that
this module does not recognise.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from delivery import opt_outs
from delivery.opt_outs.words import HELP_WORDS, key, phrases
from delivery.tracking.inbound import NewText
from koinonia.inbox.tapbacks import tapback_in
from koinonia.models import SendingNumber

_RECENT = timedelta(hours=1)
"""An older text waited for us: an answer would come out of place."""
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
"""E.164. Short codes have no country, and senders with a name have letters."""
_BY_A_PROGRAM = re.compile(
    r"\bauto(?:matic|mated)?[- ]?(?:reply|response|responder|answer)\b|\bout of (?:the )?office\b"
    r"|\bdo not reply\b|\bnot monitored\b|\bi.?m driving\b|\bdriving with\b|\bdo not disturb\b"
    r"|\brespuesta automática\b|\bno responda a este\b|\bfuera de la oficina\b|\bestoy conduciendo\b",
    re.IGNORECASE,
)
_HELP = frozenset(map(key, HELP_WORDS))


def is_worth_answering(text: NewText, now: datetime) -> bool:
    """Return whether the text of a person may get an answer that it did not ask for."""
    words = text.message.text
    return not (
        text.word
        or text.message.asks_to_stop
        or now - text.at > _RECENT
        or tapback_in(words)
        or _BY_A_PROGRAM.search(words)
        or phrases(words) & _HELP
        or not is_a_person(text.message.from_number)
    )


def is_a_person(number: str) -> bool:
    """Return False for short codes, senders with a name, and numbers of this installation."""
    if not _PHONE.fullmatch(number):
        return False
    return not SendingNumber.objects.filter(number=number).exists()


def has_opted_out(text: NewText) -> bool:
    return bool(opt_outs.opted_out(text.message.tenant_id, {text.message.from_number}))
