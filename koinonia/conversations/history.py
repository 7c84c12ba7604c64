"""One person, one history: messages that are older than the member they belong to."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import OuterRef, Subquery

from delivery.models import Message
from koinonia.models.conversation import Conversation

_AT_ONCE = 2000


def adopt(church_id: int, phones: Sequence[str]) -> None:
    """Give the messages of these numbers that never had a member to the member of now.

    Call it when a member is made or gets another number. A message that had a member keeps that
    member, whoever has the number later; a deleted member's messages are nobody else's.
    """
    holder = Conversation.objects.filter(pk=OuterRef("thread")).values("member__pk")[:1]
    for start in range(0, len(phones), _AT_ONCE):
        talks = Conversation.objects.filter(
            church=church_id, phone__in=phones[start : start + _AT_ONCE], member__isnull=False
        )
        nameless = Message.objects.filter(
            thread__in=talks.values("pk"), recipient=None, recipient_gone=False
        )
        if not nameless.exists():
            continue
        with transaction.atomic():
            # In the order of ids as everybody locks them, so that nobody can deadlock.
            found = list(nameless.locked().values_list("pk", flat=True))
            Message.objects.filter(pk__in=found).update(recipient=Subquery(holder))
