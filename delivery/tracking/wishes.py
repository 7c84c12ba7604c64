"""STOP and START of people. The newer of the two holds, whichever arrives first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model

from delivery import opt_outs
from delivery.models import OptOut
from delivery.tracking.inbound import InboundText, last_to_text


@dataclass(frozen=True, slots=True)
class Wish:
    tenant_id: Any
    number: str
    word: str
    at: datetime


def of(text: InboundText, tenant: Model) -> Iterator[Wish]:
    """Yield what ``text`` asks of ``tenant``, and a STOP also of the tenant that texted the person
    last from the number, which may have moved to ``tenant`` since."""
    word = text.wish(tenant)
    concerned = {tenant.pk}
    if word == "STOP":
        last = last_to_text(from_number=text.to_number, to_number=text.from_number)
        concerned |= {last.pk} if last is not None else set()
    if word:
        for pk in concerned:
            yield Wish(pk, text.from_number, word, text.at)


def obey(wishes: Sequence[Wish], now: datetime) -> None:
    """Write the opt-outs. Call it when the texts are saved: a STOP looks for a later START."""
    # In one order for all workers, so that two of them cannot deadlock.
    for wish in sorted(wishes, key=lambda wish: (str(wish.tenant_id), wish.number, wish.at)):
        if wish.word == "START":
            opt_outs.opt_in(wish.tenant_id, wish.number, at=wish.at)
        elif not opt_outs.started_since(wish.at, wish.tenant_id, wish.number):
            at = min(wish.at, now)
            opt_outs.opt_out(wish.tenant_id, wish.number, OptOut.Source.KEYWORD, now=at)
