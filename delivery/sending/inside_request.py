"""``MODE = "sync"``: one text, one try, in the process that took it."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from delivery.providers.base import connect
from delivery.providers.telnyx.request import build
from delivery.queue import claim
from delivery.sending.jobs import Job
from delivery.sending.screen import screen
from delivery.sending.threads import call
from delivery.settle import settle


def send_once(message_id: int) -> None:
    """Send a row that has just been committed; every outcome but success ends its way."""
    now = timezone.now()
    message = claim.claim_one(message_id, now)
    for row in screen([message] if message else [], now):
        claim.start_calls([row], now)
        result = call(connect(), Job(row, build(row)))
        settle([replace(result, only_try=True)], timezone.now())
