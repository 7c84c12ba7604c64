"""``MODE = "sync"``: one message, one attempt, in the process that accepted it."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from delivery.limits import spend, stops
from delivery.providers import registry
from delivery.queue import claim
from delivery.sending.jobs import Job, outbound_text
from delivery.sending.screen import screen
from delivery.sending.threads import call
from delivery.settle import settle


def send_once(message_id: int) -> None:
    """Send a row that has just been committed. Every outcome ends its sending.

    The row of a stopped tenant stays in the queue: it goes when a worker runs after the stop.
    """
    now = timezone.now()
    message = claim.claim_one(message_id, now)
    if message is not None and stops.current(message.tenant_id, now) is not None:
        claim.put_back([message])
        return
    # A process that sends inside the request may have no worker that would send it later.
    screened = screen([message] if message else [], now, at_any_hour=True)
    for row in spend.begin(screened, now):
        provider = registry.connect(row.provider)
        try:
            result = call(provider, Job(row, outbound_text(row)))
        finally:
            provider.close()
        settle([replace(result, only_try=True)], timezone.now())
