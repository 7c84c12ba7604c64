"""The acts of owners on the webhooks of their church.

An act that concerns a worker ends its claim: the worker then writes no results.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from koinonia import audit
from koinonia.models import Church, WebhookCursor, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import log
from koinonia.webhooks.event_types import TEST
from koinonia.webhooks.schedule import TRYING_FOR
from koinonia.webhooks.settle import lock_endpoint
from koinonia.webhooks.signing import new_secret

MOST_ENDPOINTS = 10
OLD_SECRET_FOR = timedelta(hours=24)
_MOST_TESTS = 10
_Off = WebhookEndpoint.Off
_State = WebhookDelivery.State


class WebhookRefusedError(Exception):
    """The act is not possible now; the text says why, for a person."""


def are_there_any() -> bool:
    """Return whether the process that sends webhooks is needed (``DELIVERY["COMPANIONS"]``)."""
    return WebhookEndpoint.objects.exists()


@transaction.atomic
def add(
    church: Church, user: User | None, *, name: str, url: str, types: Sequence[str], now: datetime
) -> WebhookEndpoint:
    """Make an endpoint that gets the events from now on. Raise WebhookRefusedError at the limit."""
    # Lock the church, so that two requests cannot pass the limit together.
    Church.objects.select_for_update(no_key=True).get(pk=church.pk)
    if WebhookEndpoint.objects.filter(church=church).count() >= MOST_ENDPOINTS:
        sentence = _("A church has at most %(most)s webhooks. Delete one first.")
        raise WebhookRefusedError(sentence % {"most": MOST_ENDPOINTS})
    endpoint = WebhookEndpoint.objects.create(
        church=church, name=name, url=url, types=list(types), secret=new_secret()
    )
    head = log.head_of(church.slug)
    WebhookCursor.objects.create(endpoint=endpoint, epoch=head.epoch, seq=head.last)
    audit.record(church, user, "webhook.added", endpoint, {"types": list(types)}, now=now)
    return endpoint


@transaction.atomic
def delete(endpoint: WebhookEndpoint, user: User | None) -> bool:
    """Delete the endpoint with its deliveries. Return False if it is gone already."""
    if lock_endpoint(endpoint.pk) is None:
        return False
    audit.record(endpoint.church, user, "webhook.deleted", endpoint)
    endpoint.delete()
    return True


def switch(endpoint: WebhookEndpoint, *, on: bool, now: datetime) -> None:
    """Switch the endpoint on or off, in the caller's transaction. On: it continues where it stopped."""
    # A worker may have switched it off since the caller has read it: keep its reason, and its mail.
    found = _locked(endpoint)
    if on != found.enabled:
        if on and found.off_since is not None and found.off != _Off.OWNER:
            _try_given_up_again(found, found.off_since, now)
        found.off, found.off_since = (_Off.NOT, None) if on else (_Off.OWNER, now)
        found.owes_notice = False
        found.save(update_fields=["off", "off_since", "owes_notice"])
        _take_claim(found)
        if on:
            _try_waiting_now(found, now)
    endpoint.off, endpoint.off_since = found.off, found.off_since
    endpoint.owes_notice = found.owes_notice


def change_address(endpoint: WebhookEndpoint, url: str, now: datetime) -> None:
    """Give the endpoint another address, in the caller's transaction, and try it without a pause."""
    if url == endpoint.url:
        return
    endpoint.url = url
    endpoint.save(update_fields=["url"])
    # The failures and pauses are those of the old address.
    _take_claim(endpoint)
    _try_waiting_now(endpoint, now)


@transaction.atomic
def rotate(endpoint: WebhookEndpoint, user: User | None, now: datetime) -> WebhookEndpoint:
    """Give the endpoint a new secret. For 24 hours the present one signs too."""
    found = _locked(endpoint)
    found.old_secret, found.old_secret_until = found.secret, now + OLD_SECRET_FOR
    found.secret = new_secret()
    found.save(update_fields=["secret", "old_secret", "old_secret_until"])
    audit.record(found.church, user, "webhook.rotated", found, now=now)
    return found


@transaction.atomic
def test(endpoint: WebhookEndpoint, user: User | None, now: datetime) -> WebhookDelivery:
    """Queue a test event. Raise WebhookRefusedError if the endpoint is off, or tests wait already."""
    found = _locked(endpoint)
    _refuse_if_off(found)
    rows = WebhookDelivery.objects.filter(endpoint=found, state=_State.WAITING, type=TEST)
    if rows.count() >= _MOST_TESTS:
        raise WebhookRefusedError(_("Several tests wait already. See what the receiver answers."))
    delivery = WebhookDelivery.objects.create(
        endpoint=found, event_id=f"test_{secrets.token_hex(10)}", type=TEST,
        data={"webhook": found.mark, "name": found.name},
        created_at=now, trying_since=now, next_at=now,
    )  # fmt: skip
    _hurry(found)
    audit.record(found.church, user, "webhook.tested", found, now=now)
    return delivery


@transaction.atomic
def redeliver(delivery: WebhookDelivery, user: User | None, now: datetime) -> WebhookDelivery:
    """Send the event of a delivery again, with its id. Raise WebhookRefusedError if that cannot be."""
    endpoint = _locked(delivery.endpoint)
    _refuse_if_off(endpoint)
    if delivery.seq is not None:
        head = log.head_of(endpoint.church.slug)
        if not log.bodies(head, [delivery.seq]):
            raise WebhookRefusedError(
                _("The event log does not hold this event any more. Read the data from the API.")
            )
    again = WebhookDelivery.objects.filter(pk=delivery.pk)
    if not again.update(state=_State.WAITING, next_at=now, trying_since=now):
        raise WebhookRefusedError(_("This delivery has just been deleted, because it was old."))
    _hurry(endpoint)
    audit.record(endpoint.church, user, "webhook.redelivered", endpoint, {"events": 1}, now=now)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def redeliver_since(
    endpoint: WebhookEndpoint, since: datetime, user: User | None, now: datetime
) -> int:
    """Send all events since a time again, with their ids; return the number of events of all types.

    Raise WebhookRefusedError if the endpoint is off. Older events than the log holds are left out.
    """
    found = _locked(endpoint)
    _refuse_if_off(found)
    head = log.head_of(found.church.slug)
    cursor = WebhookCursor.objects.get(pk=found.pk)
    seq = min(log.number_before(head, since), cursor.seq)
    # Keep the epoch: an old one says that the receiver does not know of the restore yet.
    WebhookCursor.objects.filter(pk=found.pk).update(seq=seq)
    _take_claim(found)
    number = max(0, cursor.seq - seq)
    audit.record(found.church, user, "webhook.redelivered", found, {"events": number}, now=now)
    return number


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    found = lock_endpoint(endpoint.pk)
    if found is None:
        raise WebhookRefusedError(_("This webhook has just been deleted."))
    found.church = endpoint.church
    return found


def _refuse_if_off(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise WebhookRefusedError(_("This webhook is off. Switch it on first."))


def _hurry(endpoint: WebhookEndpoint) -> None:
    """End the pause of a failing endpoint: a person wants to see an answer now."""
    WebhookCursor.objects.filter(pk=endpoint.pk).update(next_at=None)


def _try_given_up_again(endpoint: WebhookEndpoint, off_since: datetime, now: datetime) -> None:
    """Let the deliveries wait that were given up while the receiver took nothing."""
    given_up = WebhookDelivery.objects.filter(endpoint=endpoint, state=_State.FAILED)
    given_up.filter(tried_at__gt=off_since - TRYING_FOR).update(state=_State.WAITING, next_at=now)


def _try_waiting_now(endpoint: WebhookEndpoint, now: datetime) -> None:
    """Let each waiting delivery begin its 24 hours again."""
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state=_State.WAITING)
    waiting.update(next_at=now, trying_since=now)


def _take_claim(endpoint: WebhookEndpoint) -> None:
    """Forget failures and pauses, and fence off the worker that sends now."""
    WebhookCursor.objects.filter(pk=endpoint.pk).update(
        failures=0, failing_since=None, next_at=None, lease_token="", lease_until=None
    )
