"""The statements whose cost must not depend on the size of the tables, by name.

Each name calls the real code path of the console, the admin, monitoring, prune or the worker, on the rows
of ``bench/scale_set.py``. ``tests/koinonia/test_plans.py`` asserts their plans, ``bench/scale.py`` times them. A
caller runs each in a transaction that it rolls back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import resolve
from django.utils import timezone
from rest_framework.test import APIRequestFactory, force_authenticate

import delivery.retention
import realtime.retention
from delivery import dead_letters
from delivery.admin.sealed import seal
from delivery.desk import overview
from delivery.limits import spend
from delivery.models import (
    BreakerTransition,
    DeadLetter,
    Direction,
    Message,
    OptOut,
    RetryRun,
    Slowdown,
    StopRequest,
    TenantStop,
    WebhookEvent,
)
from delivery.queue import claim, due, rescue
from delivery.queue.turns import Turns, tenants_due
from delivery.recipients import waiting_for
from delivery.status_report import report, why_stuck
from delivery.statuses import Status
from delivery.tracking import inbound, watchdog
from delivery.webhooks.replay import count_unmatched
from koinonia import conversations
from koinonia.alerts.rules import troubles
from koinonia.broadcasts import progress
from koinonia.desk.find.asked import Asked
from koinonia.desk.find.search import find
from koinonia.desk.find.story import whole_story
from koinonia.health.metrics.installation import InstallationCollector
from koinonia.ids import encode
from koinonia.models import Alert, Broadcast, Church, Conversation, Member
from koinonia.webhooks.lag import lag


@dataclass(frozen=True)
class Scene:
    """Rows of the scale set that the statements are about: a church with many texts, and one with few."""

    church: Church
    small_church: Church
    staff: User
    now: datetime

    @property
    def message(self) -> Message:
        sent = Message.objects.filter(tenant=self.church, direction=Direction.OUTBOUND)
        return sent.order_by("-created_at", "-pk")[1000]

    @property
    def member(self) -> Member:
        return Member.objects.filter(church=self.church).order_by("pk")[10]

    @property
    def conversation(self) -> Conversation:
        return Conversation.objects.get(church=self.church, phone=self.member.phone)

    @property
    def broadcast(self) -> Broadcast:
        return Broadcast.objects.filter(church=self.church).order_by("pk")[2]


@cache
def scene() -> Scene:
    churches = Church.objects.order_by("pk")
    church = churches[0]
    staff = User.objects.filter(staff__church=church).order_by("pk")[0]
    staff.is_staff = staff.is_superuser = True
    return Scene(church, churches[1], staff, timezone.now())


def get(path: str, *, small: bool = False) -> Any:
    """Return the answer of the API to a member of the staff, who is authenticated already."""
    church = scene().small_church if small else scene().church
    url = f"/api/v1/churches/{church.slug}/{path}"
    request = APIRequestFactory(SERVER_NAME="localhost").get(url)
    force_authenticate(request, scene().staff)
    view, positional, named = resolve(url.partition("?")[0])
    response = view(request, *positional, **named)
    if response.status_code != 200:
        raise AssertionError(f"{url}: {response.status_code} {response.data}")
    return response.render()


def second_page(path: str) -> Any:
    following = get(path).data["next"]
    return get(f"{path}{'&' if '?' in path else '?'}cursor={following.partition('cursor=')[2]}")


def show(model: Any, query: str = "") -> Any:
    """Return a page of the admin's list."""
    request = RequestFactory(SERVER_NAME="localhost").get(f"/admin/?{query}")
    request.user = scene().staff
    response: Any = admin.site.get_model_admin(model).changelist_view(request)
    if response.status_code != 200:
        raise AssertionError(f"{model.__name__}?{query}: {response.status_code}")
    return response.render()


def page(url: str) -> Any:
    """Return a page of the support desk, with figures of this moment."""
    overview.kept.forget()
    request = RequestFactory(SERVER_NAME="localhost").get(url)
    request.user = scene().staff
    view, positional, named = resolve(url.partition("?")[0])
    response: Any = view(request, *positional, **named)
    if response.status_code != 200:
        raise AssertionError(f"{url}: {response.status_code}")
    return response.render() if hasattr(response, "render") else response


def _ago(**time: int) -> str:
    return f"{scene().now - timedelta(**time):%Y-%m-%dT%H:%M:%SZ}"


def _claim() -> None:
    for turn in Turns().now(scene().now):
        claim.claim(turn, 100, scene().now)
        return


@cache
def _failure_code() -> str:
    """Return a code that dead letters have. The first call, which no one times, looks for it."""
    return dead_letters.dead_letters(scene().church.pk)[:1].get().error_code


def _person(church_number: str) -> Any:
    return inbound.last_to_text(from_number=church_number, to_number=scene().member.phone)


CONSOLE: dict[str, Callable[[], object]] = {
    "texts": partial(get, "messages/"),
    "texts, page 2": partial(second_page, "messages/"),
    "texts of a small church": partial(get, "messages/", small=True),
    "texts until 300 days ago": lambda: get(f"messages/?until={_ago(days=300)}"),
    "texts of a day": lambda: get(f"messages/?since={_ago(days=90)}&until={_ago(days=89)}"),
    "texts by direction": partial(get, "messages/?direction=inbound"),
    "texts by status": partial(get, "messages/?status=delivered"),
    "texts on their way": partial(get, "messages/?status=sent"),
    "texts that wait": partial(get, "messages/?status=queued"),
    "requests to stop": partial(get, "messages/?asks_to_stop=1"),
    "texts of a member": lambda: get(f"messages/?member={encode(scene().member.pk)}"),
    "texts of a broadcast": lambda: get(f"messages/?broadcast={encode(scene().broadcast.pk)}"),
    "a text": lambda: get(f"messages/{encode(scene().message.pk)}/"),
    "attempts of a text": lambda: get(f"messages/{encode(scene().message.pk)}/attempts/"),
    "conversations": partial(get, "conversations/"),
    "conversations, page 2": partial(second_page, "conversations/"),
    "open conversations": partial(get, "conversations/?open=1"),
    "unread conversations": partial(get, "conversations/?unread=1"),
    "conversations with a word": partial(get, "conversations/?search=cake"),
    "texts of a conversation": lambda: get(
        f"conversations/{encode(scene().conversation.pk)}/messages/"
    ),
    "read a conversation": lambda: conversations.mark_read(scene().conversation, now=scene().now),
    "members": partial(get, "members/"),
    "members, page 2": partial(second_page, "members/"),
    "broadcasts": partial(get, "broadcasts/"),
    "a broadcast": lambda: get(f"broadcasts/{encode(scene().broadcast.pk)}/"),
    "dead letters of a church": partial(get, "dead-letters/"),
    "dead letters of a small church": partial(get, "dead-letters/", small=True),
    "the state of sending": partial(get, "delivery/"),
    "the state of sending, small church": partial(get, "delivery/", small=True),
}
ADMIN: dict[str, Callable[[], object]] = {
    "admin: dead letters": partial(show, DeadLetter),
    "admin: dead letters, page 2": partial(show, DeadLetter, "p=2"),
    "admin: dead letters, oldest first": partial(show, DeadLetter, "o=-5"),
    "admin: dead letters of a church": lambda: show(
        DeadLetter, f"tenant__id__exact={scene().church.pk}"
    ),
    "admin: dead letters by code": lambda: show(DeadLetter, f"error_code={_failure_code()}"),
    "admin: dead letters of all times": partial(show, DeadLetter, "discarded=all"),
    "admin: requests to stop": partial(show, StopRequest),
    "admin: webhook events": partial(show, WebhookEvent),
    "admin: webhook events that wait": partial(show, WebhookEvent, "applied_at__isempty=1"),
    "admin: webhook events by result": partial(show, WebhookEvent, "result=not_ours"),
    "admin: a webhook event": partial(show, WebhookEvent, "q=unknown-id"),
    "admin: opt-outs": partial(show, OptOut),
    "admin: an opt-out": lambda: show(OptOut, f"q=~{seal('+13125550142', scene().staff.pk)}"),
    "admin: members": partial(show, Member),
}
MONITORING: dict[str, Callable[[], object]] = {
    "metrics": lambda: list(InstallationCollector().collect()),
    "metrics: the lag of outgoing webhooks": lambda: lag(scene().now),
    "delivery_status": lambda: report(now=scene().now),
    "alerts": lambda: troubles(settings.ALERTS, scene().now),
    "delivery_status --check": lambda: why_stuck(scene().now, after=timedelta(minutes=1)),
}
PRUNE: dict[str, Callable[[], object]] = {
    "prune: nothing of delivery": lambda: delivery.retention.prune(
        scene().now - timedelta(days=365), dry_run=True
    ),
    "prune: nothing of the log": lambda: realtime.retention.prune(
        scene().now - timedelta(days=365), dry_run=True
    ),
}
WORKER: dict[str, Callable[[], object]] = {
    "is anything due?": lambda: due.anything_due(scene().now),
    "is anything due in a year?": lambda: due.anything_due(scene().now - timedelta(days=3650)),
    "the next due text": lambda: due.next_due(scene().now, scene().now + timedelta(seconds=1)),
    "the turns": lambda: tenants_due(scene().now),
    "a claim": _claim,
    "expired leases": lambda: rescue.rescue(scene().now),
    "texts without a report": lambda: watchdog.take_overdue(scene().now, 20),
    "texts without a report for long": lambda: watchdog.give_up_waiting(
        scene().now - timedelta(days=3650)
    ),
    "who texted this number from ours": lambda: _person(str(scene().church.phone_number)),
    "who texted this number": lambda: _person(""),
    "the question about a lost text": lambda: watchdog.by_content_of(scene().message),
    "the counts of a broadcast": lambda: progress.with_counts([scene().broadcast]),
    "waiting texts of a member": lambda: waiting_for([scene().member.pk]),
    "texts within the daily cap": lambda: spend.current(scene().church.pk, scene().now),
    "leases of a status": lambda: list(Message.objects.watched(Status.SENDING)[:10]),
}
FIND: dict[str, Callable[[], object]] = {
    "find: a number": lambda: find(Asked(number=scene().member.phone)),
    "find: a number of one church and day": lambda: find(
        Asked(
            number=scene().member.phone,
            church=scene().church,
            since=scene().now - timedelta(days=90),
            until=scene().now - timedelta(days=89),
        )
    ),
    "find: a number that nobody has": lambda: find(Asked(number="+13129999999")),
    "find: the number of a church": lambda: find(Asked(number=scene().church.phone_number)),
    "find: our id": lambda: find(Asked(word=encode(scene().message.pk))),
    "find: a provider's id": lambda: find(Asked(word=str(scene().message.provider_id))),
    "find: an id that nobody has": lambda: find(Asked(word="no-text-has-this-id")),
    "find: a church": lambda: find(Asked(church=scene().church)),
    "find: a small church": lambda: find(Asked(church=scene().small_church)),
    "find: a church until 300 days ago": lambda: find(
        Asked(church=scene().church, until=scene().now - timedelta(days=300))
    ),
    "find: the story of a text": lambda: whole_story(scene().message, scene().now),
    "admin: webhook events without a text": partial(show, WebhookEvent, "unmatched=yes"),
    "count of webhook events without a text": lambda: count_unmatched(scene().now),
}
DESK: dict[str, Callable[[], object]] = {
    "desk: the first page": partial(page, "/admin/"),
    "desk: the part that renews itself": partial(page, "/admin/desk/overview/"),
    "desk: the page of a number": lambda: page(
        f"/admin/find/?number={seal(scene().member.phone, scene().staff.pk)}"
    ),
    "desk: the story of a text": lambda: page(f"/admin/find/{encode(scene().message.pk)}/"),
    "admin: bulk retries": partial(show, RetryRun),
    "admin: slowdowns": partial(show, Slowdown),
    "admin: stops": partial(show, TenantStop),
    "admin: changes of the breaker": partial(show, BreakerTransition),
    "admin: alerts": partial(show, Alert),
}
NAMED: dict[str, Callable[[], object]] = {
    **CONSOLE,
    **ADMIN,
    **FIND,
    **DESK,
    **MONITORING,
    **PRUNE,
    **WORKER,
}
"""The names of all parts together."""
