"""Where the apps meet, and the only place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_delete, post_save, pre_delete
from django.http import HttpRequest
from django.utils import timezone
from knox.models import AuthToken

from delivery import spend
from delivery.changes import Change
from delivery.signals import (
    breaker_changed,
    cap_changed,
    messages_changed,
    overseen,
    worker_started,
)
from delivery.statuses import Status
from koinonia import events, opt_out_words, redis_server, sending_numbers
from koinonia.accounts import passwords, tokens
from koinonia.api.authentication import user_token
from koinonia.broadcasts import due, progress_events
from koinonia.broadcasts.groups import release_group
from koinonia.conversations.follow import follow
from koinonia.conversations.history import adopt
from koinonia.conversations.holder import member_at
from koinonia.conversations.threads import thread_of as conversation_of
from koinonia.models import Broadcast, Church, Group, Member, Staff
from koinonia.texts.due import redraft
from realtime import log, rights
from realtime.log import NewEvent
from throttling import addresses, limits
from throttling.allowlist import Caller

News = defaultdict[str, list[NewEvent]]


def connect() -> None:
    """Connect the apps' signals; called once, when all apps are ready."""
    messages_changed.connect(on_messages_changed, dispatch_uid="koinonia")
    breaker_changed.connect(on_breaker_changed, dispatch_uid="koinonia")
    cap_changed.connect(on_cap_changed, dispatch_uid="koinonia")
    overseen.connect(on_overseen, dispatch_uid="koinonia")
    worker_started.connect(on_worker_started, dispatch_uid="koinonia")
    for signal in (post_save, post_delete):
        signal.connect(on_rights_changed, sender=Staff, dispatch_uid="koinonia.staff")
    pre_delete.connect(on_group_deleted, sender=Group, dispatch_uid="koinonia.group")
    post_save.connect(on_member_saved, sender=Member, dispatch_uid="koinonia.member")
    post_delete.connect(on_rights_changed, sender=AuthToken, dispatch_uid="koinonia.token")
    post_save.connect(
        sending_numbers.on_church_saved, sender=Church, dispatch_uid="koinonia.number"
    )
    pre_delete.connect(
        sending_numbers.on_church_deleted, sender=Church, dispatch_uid="koinonia.numbers"
    )
    post_save.connect(tokens.add_details, sender=AuthToken, dispatch_uid="koinonia.token_details")
    post_save.connect(passwords.on_user_saved, sender=User, dispatch_uid="koinonia.password")


# delivery tells the church, and the author


def on_messages_changed(*, changes: Sequence[Change], now: datetime, **_: Any) -> None:
    """Bring conversations up to date, then tell; the log comes last of all.

    Runs as the last act of the change's own transaction.
    """
    follow([change.message for change in changes if change.created], now=now)
    slugs = dict(Church.objects.filter(pk__in=_churches(changes)).values_list("pk", "slug"))
    news: News = defaultdict(list)
    confirmed: list[tuple[Change, str]] = []
    for change in changes:
        slug = slugs[change.message.tenant_id]
        news[f"church:{slug}"].extend(_for_church(change))
        if change.message.author_id and change.message.status in events.CONFIRMS:
            confirmed.append((change, slug))
    _confirm(confirmed, news)
    _tell_of_reading(changes, slugs, news, now)
    _announce_broadcasts(changes, slugs, news)
    log.append(news, now=now)
    if batches := {change.message.batch for change in changes if change.message.batch}:
        transaction.on_commit(partial(progress_events.tell, batches, now))


def on_breaker_changed(*, state: str, **_: Any) -> None:
    """The whole account is concerned, and so is every church."""
    with transaction.atomic():
        slugs = Church.objects.values_list("slug", flat=True)
        news = {f"church:{slug}": [events.breaker_changed(state)] for slug in slugs}
        log.append(news, now=timezone.now())


def on_cap_changed(*, tenant_id: int, now: datetime, **_: Any) -> None:
    """Tell the office that its texts wait, and why."""
    with transaction.atomic():
        slug = Church.objects.values_list("slug", flat=True).get(pk=tenant_id)
        log.append(
            {f"church:{slug}": [events.spend_changed(spend.current(tenant_id, now))]}, now=now
        )


def on_overseen(*, now: datetime, **_: Any) -> None:
    """The last progress of a broadcast must not stay untold because it came too soon."""
    progress_events.tell_stale(now)


def on_worker_started(**_: Any) -> None:
    """Warn of a Redis that is of no use, as the web process does at its start."""
    redis_server.warn()


def _churches(changes: Sequence[Change]) -> set[int]:
    return {change.message.tenant_id for change in changes}


def _for_church(change: Change) -> list[NewEvent]:
    message = change.message
    if change.created:
        # A broadcast is one event, however many texts it has.
        return [] if message.batch else [events.message_created(message)]
    if message.status == change.previous:  # it was read: told once per conversation
        return []
    return [events.message_status(change)]


def _confirm(confirmed: Sequence[tuple[Change, str]], news: News) -> None:
    """Tell authors what became of their texts, while they are staff of the church."""
    if not confirmed:
        return
    authors = {change.message.author_id for change, _ in confirmed}
    staff = set(
        Staff.objects.filter(
            user__in=authors, church__in={change.message.tenant_id for change, _ in confirmed}
        ).values_list("user_id", "church_id")
    )
    for change, slug in confirmed:
        message = change.message
        if (message.author_id, message.tenant_id) in staff:
            news[f"user:{message.author_id}"].append(events.message_confirmed(change, slug))


def _tell_of_reading(
    changes: Sequence[Change], slugs: dict[int, str], news: News, now: datetime
) -> None:
    read = {
        (change.message.thread, change.message.tenant_id)
        for change in changes
        if change.message.thread and change.message.status == change.previous == Status.RECEIVED
    }
    for thread, church in sorted(read):
        news[f"church:{slugs[church]}"].append(events.conversation_read(thread, now))


def _announce_broadcasts(changes: Sequence[Change], slugs: dict[int, str], news: News) -> None:
    created = {
        change.message.batch for change in changes if change.created and change.message.batch
    }
    # A scheduled one was announced when it was scheduled.
    for broadcast in Broadcast.objects.filter(pk__in=created, scheduled_at=None).order_by("pk"):
        news[f"church:{slugs[broadcast.church_id]}"].append(events.broadcast_created(broadcast))


def thread_of(church: Church, number: str, now: datetime) -> int:
    """``DELIVERY["THREAD_OF"]``: where a text from ``number`` belongs."""
    return conversation_of(church, number, now=now).pk


def stop_words_of(church: Church) -> list[str]:
    """``DELIVERY["STOP_WORDS_OF"]``: the church's own words, beside the fixed ones."""
    return opt_out_words.listed(church.opt_out_words)


def recipient_of(church: Church, number: str) -> int | None:
    """``DELIVERY["RECIPIENT_OF"]``: whose text it is, where members share a number."""
    member = member_at(church, number)
    return member.pk if member else None


class Scheduled:
    """``DELIVERY["SCHEDULE"]``: what a church has scheduled is decided when it is due."""

    next_due = staticmethod(due.next_due)
    accept_due = staticmethod(due.accept_due)
    redraft = staticmethod(redraft)


schedule = Scheduled()


def on_group_deleted(*, instance: Group, **_: Any) -> None:
    release_group(instance, now=timezone.now())


def on_member_saved(*, instance: Member, raw: bool = False, **_: Any) -> None:
    """Give the member the messages that are older."""
    if not raw:
        adopt(instance.church_id, [instance.phone])


def former_tenant(number: str) -> Church | None:
    """``DELIVERY["FORMER_TENANT"]``: the church of a second number, or of one that was given up."""
    return sending_numbers.owner_of(number)


# realtime asks who may listen


def may_listen(user: AbstractBaseUser, key: str) -> bool:
    """``REALTIME["MAY_LISTEN"]``: staff hear their church."""
    kind, _, slug = key.partition(":")
    return kind == "church" and Staff.objects.filter(user_id=user.pk, church__slug=slug).exists()


def listeners(key: str, user_ids: Set[int]) -> set[int]:
    """``REALTIME["LISTENERS"]``: the same for many."""
    kind, _, slug = key.partition(":")
    staff = Staff.objects.filter(user_id__in=user_ids, church__slug=slug)
    return set(staff.values_list("user_id", flat=True)) if kind == "church" else set()


def may_tell(key: str, told: Sequence[str]) -> Sequence[str]:
    """``REALTIME["MAY_TELL"]``: on the own stream, nothing of a church that the user has left."""
    kind, _, owner = key.partition(":")
    if kind != "user":
        return told
    slugs = Staff.objects.filter(user_id=int(owner)).values_list("church__slug", flat=True)
    mine = {None, *slugs}
    return [event for event in told if orjson.loads(event)["data"].get("church") in mine]


def may_connect(user: AbstractBaseUser) -> bool:
    """``REALTIME["CONNECT_LIMIT"]``: a socket costs what a ticket costs."""
    key = str(user.pk)
    return limits.charge("connect", key, caller=Caller(user=key)).allowed


def address_of(request: HttpRequest) -> str:
    """``REALTIME["CLIENT_ADDRESS"]``: as the limits see it, behind trusted proxies."""
    return addresses.prefix_of(request)


def may_fail(request: HttpRequest) -> bool:
    """``REALTIME["ADDRESS_LIMIT"]``: a bad handshake costs what a bad request costs."""
    caller = Caller(address=addresses.client_address(request))
    return limits.charge("anon", addresses.prefix_of(request), caller=caller).allowed


def on_rights_changed(*, instance: Staff | AuthToken, **_: Any) -> None:
    rights.changed(instance.user_id)


class BearerTokens:
    """``REALTIME["BEARER"]``: the tokens of the API."""

    def authenticate(self, token: str) -> tuple[AbstractBaseUser, str] | None:
        found = user_token(token)
        return (found.user, found.digest) if found else None

    def valid(self, references: Set[str]) -> set[str]:
        unexpired = Q(expiry=None) | Q(expiry__gt=timezone.now())
        tokens = AuthToken.objects.filter(unexpired, digest__in=references)
        return set(tokens.values_list("digest", flat=True))


bearer = BearerTokens()
