"""The routes of the support desk, as each kind of user: a table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from delivery.dead_letters import runs
from delivery.limits import slowdowns, stops
from delivery.models import Message
from delivery.providers import registry
from koinonia.accounts.support_group import SUPPORT
from koinonia.models import Church
from tests.delivery.dead_letters.conftest import NOW, MakeLetter, letter

__all__ = ["letter"]
pytestmark = pytest.mark.django_db

PEOPLE = ("support", "root", "clerk", "owner", "nobody")
"""A user of the group Support; a superuser; staff of the site without rights; an owner of a church; no login."""

REFUSED = (403, 302, 302)
"""The answers to clerk, owner and nobody: the admin asks everybody who is not staff to sign in."""
GET: dict[str, tuple[int, int, int, int, int]] = {
    "/admin/": (200, 200, 200, 302, 302),
    "/admin/desk/overview/": (200, 200, *REFUSED),
    "/admin/delivery/deadletter/": (200, 200, *REFUSED),
    "/admin/delivery/deadletter/{letter}/change/": (200, 200, *REFUSED),
    "/admin/delivery/retryrun/": (200, 200, *REFUSED),
    "/admin/delivery/retryrun/{run}/change/": (200, 200, *REFUSED),
    "/admin/delivery/retryrun/{run}/progress/": (200, 200, *REFUSED),
    "/admin/delivery/breakertransition/": (200, 200, *REFUSED),
    "/admin/delivery/breakertransition/order/?order=open": (200, 200, *REFUSED),
    "/admin/delivery/tenantstop/": (200, 200, *REFUSED),
    "/admin/delivery/tenantstop/add/": (200, 200, *REFUSED),
    "/admin/delivery/tenantstop/add/?q=grace": (200, 200, *REFUSED),
    "/admin/delivery/tenantstop/add/?tenant={church}": (200, 200, *REFUSED),
    "/admin/delivery/tenantstop/{stop}/start/": (200, 200, *REFUSED),
    "/admin/delivery/slowdown/": (200, 200, *REFUSED),
    "/admin/delivery/slowdown/add/": (200, 200, *REFUSED),
    "/admin/delivery/slowdown/add/?q=grace": (200, 200, *REFUSED),
    "/admin/delivery/slowdown/add/?provider=telnyx": (200, 200, *REFUSED),
    "/admin/delivery/slowdown/add/?tenant={church}": (200, 200, *REFUSED),
    "/admin/delivery/slowdown/{slowed}/end/": (200, 200, *REFUSED),
    # Members, users and churches are not support's.
    "/admin/koinonia/member/": (403, 200, *REFUSED),
    "/admin/koinonia/church/": (403, 200, *REFUSED),
    "/admin/auth/user/": (403, 200, *REFUSED),
}  # fmt: skip
POST: dict[str, tuple[dict[str, str], tuple[int, int, int, int, int]]] = {
    "/admin/delivery/breakertransition/order/": ({"order": "open"}, (422, 422, *REFUSED)),
    "/admin/delivery/tenantstop/add/": ({"tenant": "{church}"}, (422, 422, *REFUSED)),
    "/admin/delivery/tenantstop/{stop}/start/": ({}, (422, 422, *REFUSED)),
    "/admin/delivery/slowdown/add/": ({"provider": "telnyx"}, (422, 422, *REFUSED)),
    "/admin/delivery/slowdown/{slowed}/end/": ({}, (422, 422, *REFUSED)),
    "/admin/delivery/deadletter/filters/": ({"name": "x", "query": ""}, (302, 302, *REFUSED)),
    "/admin/delivery/deadletter/": (
        {"action": "retry_selected", "_selected_action": "{letter}"}, (200, 200, *REFUSED),
    ),
    "/admin/delivery/deadletter/{letter}/change/": ({"_note": "x"}, (302, 302, *REFUSED)),
}  # fmt: skip


@pytest.fixture
def people(grace_owner: User) -> dict[str, Client]:
    support = User.objects.create_user("support", is_staff=True)
    support.groups.add(Group.objects.get(name=SUPPORT))
    users = {
        "support": support,
        "root": User.objects.create_superuser("root"),
        "clerk": User.objects.create_user("clerk", is_staff=True),
        "owner": grace_owner,
    }
    clients = {name: Client() for name in PEOPLE}
    for name, user in users.items():
        clients[name].force_login(user)
    return clients


@pytest.fixture
def names(letter: MakeLetter, grace: Church) -> dict[str, Any]:
    """Return what the placeholders of the paths stand for."""
    letter(to_number="+13125550009")
    run = runs.begin(Message.objects.all(), by=None, now=NOW)
    stops.stop(grace.pk, by=None, reason="A test.", now=timezone.now())
    stop = stops.current(grace.pk, timezone.now())
    assert stop is not None
    slowed = slowdowns.slow(
        registry.accounts()[0], rate=1, by=None, reason="A test.", now=timezone.now(),
        until=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    return {
        "letter": letter().pk, "run": run.pk, "church": grace.pk, "stop": stop.pk,
        "slowed": slowed.pk,
    }  # fmt: skip


def test_each_page_opens_to_those_whom_it_is_for(
    people: dict[str, Client], names: dict[str, Any]
) -> None:
    found = {
        path: tuple(people[who].get(path.format(**names)).status_code for who in PEOPLE)
        for path in GET
    }
    assert found == GET


def test_each_act_is_refused_to_everybody_else(
    people: dict[str, Client], names: dict[str, Any]
) -> None:
    found = {}
    for path, (body, _) in POST.items():
        filled = {key: value.format(**names) for key, value in body.items()}
        answers = (people[who].post(path.format(**names), filled) for who in PEOPLE)
        found[path] = tuple(answer.status_code for answer in answers)
    assert found == {path: expected for path, (_, expected) in POST.items()}


def test_the_first_page_shows_the_desk_only_to_support(
    people: dict[str, Client], names: dict[str, Any]
) -> None:
    shown = {name: b"data-renew" in people[name].get("/admin/").content for name in PEOPLE}
    assert shown == {name: name in ("support", "root") for name in PEOPLE}


def test_support_without_the_right_to_order_sees_no_button(people: dict[str, Client]) -> None:
    group = Group.objects.get(name=SUPPORT)
    group.permissions.remove(group.permissions.get(codename="change_breakertransition"))
    client = people["support"]
    assert b"Stop all calls" not in client.get("/admin/").content
    assert client.get("/admin/delivery/breakertransition/order/?order=open").status_code == 403
