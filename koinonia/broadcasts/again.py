"""Sending a broadcast once more, to the members without it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from delivery.accept import UnacceptableError
from delivery.models.queue import MessageQuerySet
from delivery.statuses import Status
from koinonia import ids
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import send_broadcast
from koinonia.models import Broadcast

MOST_PEOPLE = 5_000
"""The limit of the members in one audience."""
_ONCE_IN = timedelta(minutes=10)
"""Within this time a second order, such as a double click, finds the first one."""


def send_to_missed(
    broadcast: Broadcast, missed: MessageQuerySet, *, status: str, by: User, now: datetime
) -> Broadcast:
    """Send the broadcast to the members of ``missed`` as a new one. Raise ``UnacceptableError``.

    Only for texts that have ended without arriving. Call it in a transaction.
    """
    if status not in (Status.FAILED, Status.EXPIRED):
        raise UnacceptableError("status", _("These texts cannot be sent again."))
    # The lock lets two requests look for the first one in turn.
    Broadcast.objects.select_for_update(of=("self",)).get(pk=broadcast.pk)
    keys = missed.filter(recipient__isnull=False).order_by("pk").values_list("recipient", flat=True)
    members = sorted(set(keys[:MOST_PEOPLE]))
    if not members:
        raise UnacceptableError("audience", _("None of these people is a member any more."))
    as_sent = {"members": [ids.encode(key) for key in members]}
    recent = Broadcast.objects.filter(church=broadcast.church, created_at__gt=now - _ONCE_IN)
    for other in recent.order_by("-pk")[:20]:
        if other.text == broadcast.text and other.audience == as_sent:
            return other
    audience = Audience(everyone=False, member_ids=members, as_sent=as_sent)
    return send_broadcast(
        broadcast.church, broadcast.text, audience, author=by, media_urls=broadcast.media, now=now
    )
