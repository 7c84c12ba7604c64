"""Query parameters of admin pages: they reveal no hidden data and cause no server error.

The tests open all pages of all models as each kind of user with each hostile query.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from delivery.models import Message, OptOut
from delivery.statuses import Status
from koinonia.accounts.support_group import SUPPORT
from koinonia.models import Church, Member, Staff
from throttling.models import Allowance

SECRET_NUMBER = "+13125550177"
SECRET_TEXT = "the diagnosis of Ruth"
NOW = timezone.now()
WORDS = ["banana", "", "\0", "[", "(", "\\", "9" * 40, "-1", "1e999", "None", "'", "é" * 300, "٣"]
FIELDS = [
    "id", "pk", "status", "to_number", "text", "tenant", "tenant__phone_number", "tenant__slug",
    "created_at", "attempts", "recipient__first_name", "author__password", "user__password",
    "password", "number", "token", "name", "church", "church__slug", "role", "x", "__", "is_staff",
    "groups", "expires_at", "media_urls", "email", "provider_id", "error_code", "error_class",
    "age", "discarded",
]  # fmt: skip
LOOKUPS = [
    "", "exact", "iexact", "regex", "iregex", "isnull", "in", "gt", "lt", "range", "startswith",
    "icontains", "year", "date", "week_day", "hour", "contained_by", "id__exact", "isempty", "foo",
]  # fmt: skip
SPECIAL = [
    {"o": "1.2.3.-9.x"}, {"o": "9" * 40}, {"o": "-"}, {"o": "."}, {"p": "banana"}, {"p": "9" * 40},
    {"p": "-1"}, {"p": "\0"}, {"all": "\0"}, {"e": "x"}, {"_facets": "x"}, {"q": "\0"},
    {"q": "'\"[" * 50}, {"q": "9" * 4000}, {"_popup": "1", "_to_field": "password"},
    {"_popup": "1", "_to_field": "to_number"}, {"_to_field": "\0"}, {"_popup": "\0"},
    {"_changelist_filters": "\0"}, {"_to_field": "text"}, {"name": "\0"}, {"address": "\0"},
    {"bucket": "\0"}, {"name": "x" * 5000}, {"address": "::1%x"}, {"bucket": "[*"},
    {"_source_model": "auth.user"}, {"\0": "\0"}, {"a" * 3000: "1"},
]  # fmt: skip
_PAIRS = list(itertools.product(FIELDS, LOOKUPS))
# Each field is tested with some lookups and each word in turn, numeric fields with all values.
QUERIES: list[dict[str, str]] = [
    *({"__".join(filter(None, pair)): word}
      for pair, word in zip(_PAIRS[::11], itertools.cycle(WORDS), strict=False)),
    *({f"{field}{suffix}": word}
      for field in ("groups", "tenant", "church") for suffix in ("", "__exact", "__id__exact")
      for word in ("9" * 40, "-1", "banana")),
    *SPECIAL,
]  # fmt: skip
KEYS = ["1", "9" * 40, "-1", "banana", "_00", "1_3A", "a" * 300, "%00", "1%00", "٣"]


@pytest.fixture
def everyone(grace: Church, grace_owner: User) -> dict[str, Client]:
    support = User.objects.create_user("support", is_staff=True)
    support.groups.add(Group.objects.get(name=SUPPORT))
    root = User.objects.create_superuser("root")
    people = {"support": support, "root": root, "owner": grace_owner}
    clients = {name: Client(raise_request_exception=False) for name in people}
    for name, user in people.items():
        clients[name].force_login(user)
    return clients | {"nobody": Client(raise_request_exception=False)}


@pytest.fixture
def letter(grace: Church) -> Message:
    person = Member.objects.create(church=grace, first_name="Ruth", phone=SECRET_NUMBER)
    OptOut.objects.create(tenant=grace, number="+13125550188", source="keyword", created_at=NOW)
    Allowance.objects.create(network="203.0.113.9", note="office")
    return Message.objects.create(
        tenant=grace, recipient=person, to_number=SECRET_NUMBER, from_number=grace.phone_number,
        text=SECRET_TEXT, status=Status.DEAD, dead_since=NOW - timedelta(minutes=5),
        error_code="timeout", error_class="ambiguous", created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def lists() -> list[str]:
    return [f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in admin.site._registry]


@pytest.mark.parametrize("path", lists())
def test_lists_answer_without_errors_and_only_to_permitted_users(
    everyone: dict[str, Client], letter: Message, path: str
) -> None:
    seen = {name: client.get(path).status_code for name, client in everyone.items()}
    assert (seen["root"], seen["nobody"], seen["owner"]) == (200, 302, 302)
    for name in ("root", "support"):
        if seen[name] != 200:
            assert seen[name] == 403
            continue
        bad = {}
        for query in QUERIES:
            answer = everyone[name].get(f"{path}?{urlencode(query)}")
            if answer.status_code not in {200, 302, 400}:
                bad[str(query)[:80]] = answer.status_code
        assert bad == {}


@pytest.mark.parametrize("path", lists())
def test_item_pages_answer_without_errors(
    everyone: dict[str, Client], letter: Message, path: str
) -> None:
    pages = [f"{key}/{page}" for key in KEYS for page in ("change/", "history/", "delete/")]
    odd = itertools.cycle(
        ["", "?_to_field=%00", "?_popup=1&_to_field=text", "?tenant=%00&church=x"]
    )
    for page in [*pages, "add/", "add/", "add/", "add/"]:
        for name, query in (("root", next(odd)), ("support", next(odd)), ("root", "")):
            answer = everyone[name].get(f"{path}{page}{query}")
            assert answer.status_code in {200, 302, 400, 403, 404}, (name, page, query)


def test_support_cannot_find_hidden_values_by_filtering(
    everyone: dict[str, Client], letter: Message
) -> None:
    """Answer 400 to each filter on a hidden column, because the length of a list confirms a guess."""
    path, support = "/admin/delivery/deadletter/", everyone["support"]
    guesses = [
        {"to_number__startswith": "+1312"}, {"to_number": SECRET_NUMBER},
        {"text__contains": "diagnosis"}, {"text__regex": "^the"}, {"recipient__first_name": "Ruth"},
        {"tenant__phone_number__startswith": "+1"}, {"author__password__startswith": "p"},
        {"media_urls__contains": "x"}, {"thread": "1"}, {"from_number__gt": "+1"},
        {"attempts__detail__contains": "x"}, {"tenant__members__phone": SECRET_NUMBER},
        {"_popup": "1", "_to_field": "to_number"}, {"_popup": "1", "_to_field": "text"},
    ]  # fmt: skip
    told = [support.get(path, guess).status_code for guess in guesses]
    assert told == [400] * len(guesses)


def test_the_filters_of_a_list_work(
    everyone: dict[str, Client], letter: Message, grace: Church
) -> None:
    path, support = "/admin/delivery/deadletter/", everyone["support"]
    queries: list[dict[str, Any]] = [
        {"status": "dead"}, {"error_code": "timeout"}, {"error_class": "ambiguous"}, {"age": "1h"},
        {"tenant__id__exact": grace.pk}, {"discarded": "all"},
    ]  # fmt: skip
    for query in queries:
        assert b"letter-to" in support.get(path, query).content, query
    other: dict[str, Any] = {"status": "unknown"}
    assert b"letter-to" not in support.get(path, other).content
    root = everyone["root"]
    of_root: list[tuple[str, dict[str, Any]]] = [
        ("/admin/koinonia/staff/", {"role__exact": "owner", "church__id__exact": grace.pk}),
        ("/admin/auth/user/", {"is_staff__exact": 1}),
        ("/admin/auth/user/", {"groups__id__exact": 1}),
        ("/admin/koinonia/member/", {"church__id__exact": grace.pk}),
        ("/admin/delivery/webhookevent/", {"result": "applied", "applied_at__isempty": 0}),
        ("/admin/delivery/optout/", {"source__exact": "keyword"}),
    ]
    for path, query in of_root:
        assert root.get(path, query).status_code == 200, (path, query)


def test_pages_for_support_show_no_hidden_data(
    everyone: dict[str, Client], letter: Message
) -> None:
    support, base = everyone["support"], "/admin/delivery/deadletter/"
    export = {"action": "export_selected", "_selected_action": letter.pk}
    ask = {"action": "discard_selected", "_selected_action": letter.pk}
    pages = [
        support.get(base), support.get(f"{base}{letter.pk}/change/"),
        support.get(f"{base}{letter.pk}/history/"), support.get(f"{base}?o=1.2.3.4.5.6"),
        support.get(f"{base}?q=Ruth"), support.post(base, export), support.post(base, ask),
        support.get("/admin/"), support.get("/admin/delivery/"),
    ]  # fmt: skip
    for page in pages:
        assert page.status_code == 200
        assert SECRET_NUMBER not in page.content.decode()
        assert SECRET_TEXT not in page.content.decode()


@pytest.mark.parametrize("model", ["member", "church", "group", "staff", "user", "message", "x"])
@pytest.mark.parametrize("term", ["Ruth", "\0", "[" * 100])
def test_autocompletion_shows_no_hidden_data_and_causes_no_errors(
    everyone: dict[str, Client], letter: Message, model: str, term: str
) -> None:
    for app, field in itertools.product(("koinonia", "auth", "delivery"), ("church", "user", "\0")):
        asked = {"app_label": app, "model_name": model, "field_name": field, "term": term}
        assert everyone["support"].get("/admin/autocomplete/", asked).status_code in {400, 403}
        assert everyone["root"].get("/admin/autocomplete/", asked).status_code in {200, 400, 403}


def test_only_the_staff_of_a_church_is_listed(everyone: dict[str, Client]) -> None:
    assert Staff.objects.count() == 1
    answer = everyone["root"].get("/admin/koinonia/staff/?church__id__exact=" + "9" * 40)
    assert answer.status_code in {200, 302}
