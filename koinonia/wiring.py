"""The only module in which the reusable apps meet: signal receivers, and functions for settings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_delete, post_save, pre_delete
from django.http import HttpRequest
from django.utils import timezone
from knox.models import AuthToken

import koinonia.deletion
from delivery.changes import Change, NewBatch
from delivery.limits import spend, stops
from delivery.models import BreakerState, Message
from delivery.senders import Sender
from delivery.signals import (
    breaker_changed,
    calls_settled,
    cap_changed,
    drains_begin,
    events_applied,
    messages_changed,
    overseen,
    slowdown_changed,
    tenant_stop_changed,
    webhook_answered,
    worker_started,
)
from delivery.status_report import limits_of, limits_of_tenant
from delivery.tracking.inbound import NewText
from httpopt.signals import body_encoded
from koinonia import events, garbage, news, opt_out_words, retention, sending_numbers
from koinonia.accounts import devices, keys, passwords, tokens
from koinonia.alerts import tick as alerts
from koinonia.answers import received
from koinonia.api.authentication import user_token
from koinonia.broadcasts import due, progress
from koinonia.broadcasts.cancel import cancel_broadcasts_to
from koinonia.conversations import (
    conversation_with,
    link_to_members,
    member_at,
    update_for_batch,
    update_for_new_messages,
)
from koinonia.database import outage
from koinonia.health import heartbeat, redis_server
from koinonia.health.metrics import clients, deliveries, requests, worker_endpoint
from koinonia.models import (
    Church,
    Group,
    Member,
    Staff,
    TokenDetails,
)
from koinonia.models.member import members_created
from koinonia.quiet import hours as quiet_hours
from koinonia.series.occurrences import plan_missing
from koinonia.texts.redraft import redraft
from realtime import log, rights
from realtime.signals import clients_changed, database_failed, events_fanned_out
from throttling import addresses, limits
from throttling.allowlist import Caller


def connect() -> None:
    """Connect the signals of the apps. ``KoinoniaConfig.ready`` calls this once."""
    messages_changed.connect(on_messages_changed, dispatch_uid="koinonia")
    breaker_changed.connect(on_breaker_changed, dispatch_uid="koinonia")
    cap_changed.connect(on_cap_changed, dispatch_uid="koinonia")
    tenant_stop_changed.connect(on_tenant_stop_changed, dispatch_uid="koinonia")
    slowdown_changed.connect(on_slowdown_changed, dispatch_uid="koinonia")
    overseen.connect(on_overseen, dispatch_uid="koinonia")
    worker_started.connect(on_worker_started, dispatch_uid="koinonia")
    drains_begin.connect(on_drains_begin, dispatch_uid="koinonia")
    database_failed.connect(on_database_failed, dispatch_uid="koinonia")
    _connect_metrics()
    for signal in (post_save, post_delete):
        signal.connect(on_rights_changed, sender=Staff, dispatch_uid="koinonia.staff")
    pre_delete.connect(on_group_deleted, sender=Group, dispatch_uid="koinonia.group")
    post_save.connect(on_member_saved, sender=Member, dispatch_uid="koinonia.member")
    members_created.connect(on_members_created, sender=Member, dispatch_uid="koinonia.members")
    post_delete.connect(on_rights_changed, sender=AuthToken, dispatch_uid="koinonia.token")
    post_save.connect(
        sending_numbers.on_church_saved, sender=Church, dispatch_uid="koinonia.number"
    )
    pre_delete.connect(
        sending_numbers.on_church_deleted, sender=Church, dispatch_uid="koinonia.numbers"
    )
    pre_delete.connect(on_church_deleted, sender=Church, dispatch_uid="koinonia.keys")
    post_save.connect(tokens.add_details, sender=AuthToken, dispatch_uid="koinonia.token_details")
    post_save.connect(passwords.on_user_saved, sender=User, dispatch_uid="koinonia.password")
    user_logged_in.connect(devices.remember, dispatch_uid="koinonia.devices")


def _connect_metrics() -> None:
    """Count the work of the apps, which know nothing of Prometheus."""
    uid = "koinonia.metrics"
    messages_changed.connect(deliveries.on_messages_changed, dispatch_uid=uid)
    calls_settled.connect(deliveries.on_calls_settled, dispatch_uid=uid)
    events_applied.connect(deliveries.on_events_applied, dispatch_uid=uid)
    webhook_answered.connect(deliveries.on_webhook_answered, dispatch_uid=uid)
    overseen.connect(deliveries.on_overseen, dispatch_uid=uid)
    clients_changed.connect(clients.on_clients_changed, dispatch_uid=uid)
    events_fanned_out.connect(clients.on_events_fanned_out, dispatch_uid=uid)
    body_encoded.connect(requests.on_body_encoded, dispatch_uid=uid)


# Signals of delivery: events for the church and for the author of a text.


def on_messages_changed(
    *, changes: Sequence[Change], batches: Sequence[NewBatch] = (), now: datetime, **_: Any
) -> None:
    """Update the conversations, then append to the event log.

    This runs as the last step of the transaction that changes the messages.
    """
    update_for_new_messages([change.message for change in changes if change.created], now=now)
    for new in sorted(batches, key=lambda new: new.batch):
        update_for_batch(new.batch, now=now)
    churches = _churches(changes) | {new.tenant_id for new in batches}
    slugs = dict(Church.objects.filter(pk__in=churches).values_list("pk", "slug"))
    told: news.News = defaultdict(list)
    confirmed: list[tuple[Change, str]] = []
    for change in changes:
        slug = slugs[change.message.tenant_id]
        told[f"church:{slug}"].extend(news.for_church(change))
        if change.message.author_id and change.message.status in events.CONFIRMS:
            confirmed.append((change, slug))
    news.confirm(confirmed, told)
    news.announce_reading(changes, slugs, told, now)
    news.announce_broadcasts(batches, slugs, told)
    log.append(told, now=now)
    moving = {change.message.batch for change in changes if change.message.batch}
    if moving := moving | {new.batch for new in batches}:
        transaction.on_commit(partial(progress.publish, moving, now))


def on_database_failed(*, error: BaseException, **_: Any) -> None:
    """Count a failure of the sockets like one of a request: an outage has one line."""
    outage.note(error)


def on_breaker_changed(*, state: str, provider: str | None = None, **_: Any) -> None:
    """Tell every church that sends through the account."""
    with transaction.atomic():
        everyone = Church.objects.values_list("slug", flat=True)
        slugs = everyone if provider is None else sending_numbers.slugs_through(provider)
        told = {f"church:{slug}": [events.breaker_changed(state)] for slug in slugs}
        log.append(told, now=timezone.now())


def on_cap_changed(*, tenant_id: int, now: datetime, **_: Any) -> None:
    """Tell the church that its texts wait for the daily cap."""
    with transaction.atomic():
        slug = Church.objects.values_list("slug", flat=True).get(pk=tenant_id)
        log.append(
            {f"church:{slug}": [events.spend_changed(spend.current(tenant_id, now))]}, now=now
        )


def on_tenant_stop_changed(*, tenant_id: int, now: datetime, **_: Any) -> None:
    """Tell the church that support has stopped or released its texts."""
    with transaction.atomic():
        slug = Church.objects.values_list("slug", flat=True).get(pk=tenant_id)
        state = limits_of_tenant(tenant_id, now)["breaker"]["state"]
        log.append({f"church:{slug}": [events.breaker_changed(state)]}, now=now)


def on_slowdown_changed(*, provider: str, sender_number: str, now: datetime, **_: Any) -> None:
    """Make the pages of the affected churches fetch their banner again.

    The event repeats whether texts go out: the pace has no event of its own.
    """
    with transaction.atomic():
        churches = Church.objects.filter(phone_number=sender_number)
        if not sender_number:
            churches = Church.objects.filter(slug__in=sending_numbers.slugs_through(provider))
        slugs = dict(churches.values_list("pk", "slug"))
        stopped, state = stops.stopped(now), limits_of(provider, now)["breaker"]["state"]
        told = {
            f"church:{slug}": [
                events.breaker_changed(BreakerState.FORCED_OPEN.value if key in stopped else state)
            ]
            for key, slug in slugs.items()
        }
        log.append(told, now=now)


def on_overseen(*, now: datetime, **_: Any) -> None:
    """Say that this worker lives, send progress events that were skipped as too frequent, judge alerts."""
    heartbeat.beat_of_worker(now)
    progress.publish_postponed(now)
    alerts.on_overseen(now)


def on_worker_started(**_: Any) -> None:
    """Warn of an unusable Redis, as the web process does, and serve the metrics of the clusters."""
    redis_server.warn()
    worker_endpoint.start()


def on_drains_begin(**_: Any) -> None:
    """Tune the memory of a process that sends, as the web process does at its start."""
    garbage.collect_rarely()


def _churches(changes: Sequence[Change]) -> set[int]:
    return {change.message.tenant_id for change in changes}


def thread_of(church: Church, number: str, now: datetime) -> int:
    """Return the conversation of a text from ``number`` (``DELIVERY["THREAD_OF"]``)."""
    return conversation_with(church, number, now=now).pk


def stop_words_of(church: Church) -> list[str]:
    """Return the church's own opt-out words (``DELIVERY["STOP_WORDS_OF"]``)."""
    return opt_out_words.listed(church.opt_out_words)


def on_texts_received(texts: Sequence[NewText], now: datetime) -> None:
    """Answer keywords and first texts (``DELIVERY["ON_RECEIVED"]``)."""
    received.act_on(texts, now)


def recipient_of(church: Church, number: str) -> int | None:
    """Return the member behind ``number`` (``DELIVERY["RECIPIENT_OF"]``)."""
    member = member_at(church, number)
    return member.pk if member else None


class Scheduled:
    """``DELIVERY["SCHEDULE"]``: recipients and texts of scheduled broadcasts are fixed when due."""

    next_due = staticmethod(due.next_due)
    accept_due = staticmethod(due.accept_due)
    redraft = staticmethod(redraft)


schedule = Scheduled()


def quiet_until(church: Church, messages: Sequence[Message], now: datetime) -> dict[int, datetime]:
    """Return until when messages wait for the morning (``DELIVERY["QUIET_UNTIL"]``)."""
    return quiet_hours.quiet_until(church, messages, now)


class DeletedTexts:
    """``DELIVERY["DELETION"]``: what churches keep, and what refers to a deleted text."""

    days_kept = staticmethod(koinonia.deletion.days_kept)
    lock_threads = staticmethod(koinonia.deletion.lock_threads)
    deleted = staticmethod(koinonia.deletion.deleted)


deletion = DeletedTexts()


def nightly(stopped: Callable[[], bool]) -> None:
    """Delete old rows of all apps, and repair series (``DELIVERY["NIGHTLY"]``)."""
    plan_missing(timezone.now())
    retention.prune_by_night(timezone.now(), stopped)


def on_group_deleted(*, instance: Group, **_: Any) -> None:
    cancel_broadcasts_to(instance, now=timezone.now())
    Member.objects.filter(groups=instance).lock_for_change()


def on_member_saved(*, instance: Member, raw: bool = False, **_: Any) -> None:
    """Link earlier messages of this number to the member."""
    if not raw:
        link_to_members(instance.church_id, [instance.phone])


def on_members_created(*, members: Sequence[Member], **_: Any) -> None:
    """Link earlier messages of these numbers to the members of a bulk write."""
    phones: dict[int, list[str]] = {}
    for member in members:
        phones.setdefault(member.church_id, []).append(member.phone)
    for church, theirs in phones.items():
        link_to_members(church, theirs)


def former_tenant(number: str) -> Church | None:
    """Return the church of a second number or of a released one (``DELIVERY["FORMER_TENANT"]``)."""
    return sending_numbers.owner_of(number)


def church_by_key(key: int) -> Church:
    """Return a church with its senders, for a claim (``DELIVERY["TENANT_BY_KEY"]``)."""
    return sending_numbers.church_with_senders(key)


def provider_of(church: Church, number: str) -> str:
    """Return the provider account of a sending number (``DELIVERY["PROVIDER_OF"]``)."""
    return sending_numbers.sender_account(church, number)


def second_sender(church: Church) -> Sender | None:
    """Return the number for a failover (``DELIVERY["SECOND_SENDER"]``)."""
    return sending_numbers.second_sender(church)


# Functions of realtime: authorization and limits.


def may_listen(user: AbstractBaseUser, key: str) -> bool:
    """Allow staff to subscribe to their church (``REALTIME["MAY_LISTEN"]``)."""
    kind, _, slug = key.partition(":")
    return kind == "church" and Staff.objects.filter(user_id=user.pk, church__slug=slug).exists()


def listeners(key: str, user_ids: Set[int]) -> set[int]:
    """Return the users who may subscribe to the stream (``REALTIME["LISTENERS"]``)."""
    kind, _, slug = key.partition(":")
    staff = Staff.objects.filter(user_id__in=user_ids, church__slug=slug)
    return set(staff.values_list("user_id", flat=True)) if kind == "church" else set()


def may_tell(key: str, told: Sequence[str]) -> Sequence[str]:
    """Drop events of churches that the user has left from the user's stream (``MAY_TELL``)."""
    kind, _, owner = key.partition(":")
    if kind != "user":
        return told
    slugs = Staff.objects.filter(user_id=int(owner)).values_list("church__slug", flat=True)
    mine = {None, *slugs}
    return [event for event in told if orjson.loads(event)["data"].get("church") in mine]


def may_connect(user: AbstractBaseUser) -> bool:
    """Charge a socket like a ticket (``REALTIME["CONNECT_LIMIT"]``)."""
    key = str(user.pk)
    return limits.charge("connect", key, caller=Caller(user=key)).allowed


def address_of(request: HttpRequest) -> str:
    """Return the client address behind trusted proxies (``REALTIME["CLIENT_ADDRESS"]``)."""
    return addresses.prefix_of(request)


def may_fail(request: HttpRequest) -> bool:
    """Charge a bad handshake like a bad request (``REALTIME["ADDRESS_LIMIT"]``)."""
    caller = Caller(address=addresses.client_address(request))
    return limits.charge("anon", addresses.prefix_of(request), caller=caller).allowed


def on_rights_changed(*, instance: Staff | AuthToken, **_: Any) -> None:
    rights.changed(instance.user_id)


def on_church_deleted(*, instance: Church, **_: Any) -> None:
    keys.end_those_of(instance)


class BearerTokens:
    """The API tokens, for ``REALTIME["BEARER"]``."""

    def authenticate(self, token: str) -> tuple[AbstractBaseUser, str] | None:
        found = user_token(token)
        if found is None or not keys.may_read(found.scopes):
            return None
        return found.user, found.digest

    def valid(self, references: Set[str]) -> set[str]:
        unexpired = Q(expiry=None) | Q(expiry__gt=timezone.now())
        tokens = AuthToken.objects.filter(unexpired, digest__in=references)
        return set(tokens.values_list("digest", flat=True))

    def streams(self, references: Set[str]) -> dict[str, set[str]]:
        """Return the only stream of each key that is bound to a church."""
        bound = TokenDetails.objects.filter(token__in=references).exclude(church=None)
        churches = dict(bound.values_list("token_id", "church_id"))
        if not churches:
            return {}
        slugs = Church.objects.in_bulk(set(churches.values()))
        # A key of a church that is gone has no stream.
        return {
            digest: {f"church:{slugs[key].slug}"} if key in slugs else set()
            for digest, key in churches.items()
        }


bearer = BearerTokens()
