"""The same text to the same recipients is sent once: double click, Back, reload, a second tab.

The content is the key, so that it does not matter which form or tab sends it. A text that was stopped
may be sent again; another repetition needs a person to say so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from rest_framework.response import Response

from delivery.models import Message
from delivery.statuses import Status
from koinonia import ids
from koinonia.api.idempotency import REPLAYED, once
from koinonia.models import Broadcast, Church, IdempotentRequest, Series

_MOST_REPEATS = 50
_UNSENT = {Status.CANCELLED.value, Status.SUPPRESSED.value}


@dataclass(frozen=True, slots=True)
class Sent:
    """A text that was sent, now or earlier."""

    kind: str
    """``broadcast``, ``message`` or ``series``."""
    id: str
    form: str
    """The key of the form that sent it."""
    at: datetime
    again: bool
    """True if an earlier request sent it, and this one did nothing."""

    @property
    def mark(self) -> str:
        """Return the value by which a form orders a repetition."""
        return f"{self.kind}:{self.id}"


Made = Broadcast | Message | Series
Act = Callable[[], Made]


def send_once(
    church: Church, user: User, path: str, body: dict[str, Any], act: Act,
    *, form: str, again: str, now: datetime,
) -> Sent:  # fmt: skip
    """Run ``act``, unless this user has sent the same ``body`` within a day. Return the sent text.

    ``form`` is the key of the form. ``again`` names the earlier text that a person wants to repeat.
    """
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    key = digest
    for _ in range(_MOST_REPEATS):
        sent = _try(user, path, key, digest, act, form, now)
        if not sent.again or (sent.mark != again and not _was_stopped(church, sent)):
            return sent
        # Each repetition has its own key: two clicks repeat the text once.
        key = f"{digest}:{sent.id}"
    return sent


def _try(user: User, path: str, key: str, digest: str, act: Act, form: str, now: datetime) -> Sent:
    record = IdempotentRequest(
        user=user, key=key, method="POST", path=path, body_digest=digest, created_at=now
    )

    def act_and_tell() -> Response:
        made = act()
        told = {
            "kind": made._meta.model_name,
            "id": ids.encode(made.pk),
            "form": form,
            "at": now.isoformat(),
        }
        return Response(told, 202)

    answer = once(record, act_and_tell)
    told = answer.data
    at = datetime.fromisoformat(told["at"])
    return Sent(told["kind"], told["id"], told["form"], at, answer.has_header(REPLAYED))


def _was_stopped(church: Church, sent: Sent) -> bool:
    """Return whether the text was stopped before its first message was sent."""
    key = ids.decode(sent.id) or 0
    if sent.kind == "broadcast":
        found = Broadcast.objects.filter(church=church, pk=key).first()
        return found is None or (
            found.cancelled_at is not None and found.counts().keys() <= _UNSENT
        )
    if sent.kind == "series":
        return not Series.objects.filter(church=church, pk=key, ended_at=None).exists()
    rows = Message.objects.filter(tenant=church, pk=key)
    return rows.filter(status=Status.CANCELLED).exists() or not rows.exists()
