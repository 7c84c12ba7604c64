"""A few texts that wait for an answer, so that a new console has something to show.

Only what came in: what says "delivered" here has been handed to a carrier, in a demo too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from delivery import conf
from delivery.changes import message_changes
from delivery.providers.base import InboundText
from delivery.tracking.inbound import received
from koinonia.models import Church, Member

_SAID = (
    (3, timedelta(hours=26), "Is choir practice on Thursday this week?"),
    (17, timedelta(hours=20), "Thank you for the visit yesterday. It meant a lot to Mum."),
    (42, timedelta(hours=3), "I can bring two salads to the picnic 🥗"),
    (42, timedelta(hours=3), "And plates, if you need some."),
    (108, timedelta(minutes=40), "We are running ten minutes late, please start without us."),
)
"""Which member, how long ago, and what."""


def arrive(church: Church, people: Sequence[Member], *, now: datetime) -> None:
    """As from the webhook: rows, conversations and events."""
    for number, (who, ago, text) in enumerate(_SAID):
        at = now - ago
        inbound = InboundText(
            provider_id=f"demo-{church.slug}-{number}",
            to_number=church.phone_number,
            from_number=people[who].phone,
            text=text,
            at=at,
        )
        with message_changes(at) as changes:
            message = received(inbound, church, at, provider=conf.default_provider())
            message.save(force_insert=True)
            changes.add(message)
