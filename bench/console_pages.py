"""Find the GET pages of the console for ``bench/bench_console.py``; print them as one object of JSON.

The database of ``DATABASE_URL`` holds the rows of ``bench/scale_set.py``. The pages are those that
``koinonia/console/urls.py`` names. Each runs here once more in this process: its statements are counted and
explained.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [os.getcwd(), str(HERE)]

CHURCH, OTHER_CHURCH = "church-1", "church-2"
USER = "bench-owner"
GROUPS, GROUP_SIZE = 20, 2500
SEARCHES = {
    "a letter": "f",
    "a common name": "name7",
    "a rare name": "family1234",
    "first and last name": "name77 family77",
    "the middle of a name": "amily1999",
    "digits of a number": "2012007",
    "nobody": "zacchaeus",
    "two letters of nobody": "zq",
}
_NOT_PAGES = {"login", "logout"}
"""The first is what the pages are compared with."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")
    import django

    django.setup()
    owner = _owner()
    _name_members()
    examples = _examples(owner)
    client = _client(owner)
    pages, skipped = [], {}
    for name, route, parameters in _routes():
        path, reason = _path(name, route, parameters, examples)
        found = _looked_at(client, path) if path else {}
        reason = reason or found.pop("reason", "")
        if reason:
            skipped[name] = reason
        else:
            pages.append({"name": name, "path": path, **found})
    told = {
        "cookie": client.cookies["sessionid"].value,
        "pages": pages,
        "skipped": skipped,
        "searches": _searches(examples),
    }
    sys.stdout.write(json.dumps(told))


def _owner() -> Any:
    """Return the owner of the large church and of a second one, as an office has them."""
    from django.contrib.auth.models import User

    from koinonia.models import Church, Staff

    owner, _ = User.objects.get_or_create(username=USER)
    for slug in (CHURCH, OTHER_CHURCH):
        church = Church.objects.get(slug=slug)
        Staff.objects.get_or_create(church=church, user=owner, defaults={"role": "owner"})
    return owner


def _name_members() -> None:
    """Give the members of the large church 499 first and 1,999 last names, and put them into groups."""
    from django.db import connection

    from koinonia.models import Church, Group, Member

    church = Church.objects.get(slug=CHURCH)
    if Group.objects.filter(church=church).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE koinonia_member SET first_name = 'Name' || id %% 499, last_name = 'Family' || id %% 1999,"
            " search_key = 'name' || id %% 499 || ' family' || id %% 1999 WHERE church_id = %s",
            [church.pk],
        )
    keys = list(Member.objects.filter(church=church).order_by("pk").values_list("pk", flat=True))
    for number in range(GROUPS):
        group = Group.objects.create(church=church, name=f"Group {number + 1}")
        size = min(GROUP_SIZE, len(keys))
        first = number * 997 % (len(keys) - size + 1)
        group.members.add(*keys[first : first + size])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE koinonia_member")
        cursor.execute("ANALYZE")


def _examples(owner: Any) -> dict[str, str]:
    """Return a value for each parameter of a path: by its name, or by the part of the path before it."""
    from django.apps import apps

    from delivery.models import Message
    from koinonia.ids import encode
    from koinonia.models import Broadcast, Church, Conversation, Group, Member

    church = Church.objects.get(slug=CHURCH)
    member = Member.objects.filter(church=church).order_by("pk")[10]
    texts = Message.objects.filter(tenant=church, direction="outbound")
    found: dict[str, Any] = {
        "member": member,
        "conversation": Conversation.objects.filter(church=church, phone=member.phone).first(),
        "message": texts.order_by("-created_at", "-pk")[1000],
        "broadcast": Broadcast.objects.filter(church=church).order_by("-pk")[2],
        "group": Group.objects.filter(church=church).order_by("pk").first(),
        "staff": church.staff.exclude(user=owner).first(),
    }
    made: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("template", "TextTemplate", {"name": "Sunday", "text": "We begin at ten."}),
        (
            "keyword",
            "Keyword",
            {"word": "CHOIR", "key": "choir", "answer": "Welcome.", "group": found["group"]},
        ),
    )
    for kind, model, fields in made:
        try:
            wanted = apps.get_model("koinonia", model)
        except LookupError:
            continue
        found[kind] = wanted._default_manager.get_or_create(church=church, **fields)[0]
    values = {name: encode(row.pk) for name, row in found.items() if row is not None}
    alike = {
        "text": "message",
        "texts": "message",
        "thread": "conversation",
        "inbox": "conversation",
    }
    values |= {other: values[name] for other, name in alike.items() if name in values}
    values |= {f"{name}s": value for name, value in values.items() if not name.endswith("s")}
    return {"church": CHURCH, **values}


def _routes() -> Iterator[tuple[str, str, list[str]]]:
    """Yield name, route and parameters of each pattern."""
    from koinonia.console import urls

    def walk(patterns: Any, before: str, names: list[str]) -> Iterator[tuple[str, str, list[str]]]:
        for one in patterns:
            route = before + str(one.pattern)
            parameters = [*names, *one.pattern.converters]
            if hasattr(one, "url_patterns"):
                yield from walk(one.url_patterns, route, parameters)
            elif one.name and one.name not in _NOT_PAGES:
                yield one.name, route, parameters

    yield from walk(urls.urlpatterns, "", [])


def _path(
    name: str, route: str, parameters: list[str], examples: dict[str, str]
) -> tuple[str, str]:
    """Return the path, or why there is none."""
    from django.urls import NoReverseMatch, reverse

    values = {}
    for parameter in parameters:
        before = route.partition(f":{parameter}>")[0].rpartition("/")[0].rpartition("/")[2]
        value = examples.get(parameter) or examples.get(before)
        if value is None:
            return "", f"no example of {parameter!r} in {route}"
        values[parameter] = value
    try:
        return reverse(name, kwargs=values), ""
    except NoReverseMatch:
        return "", f"no path for {values} in {route}"


def _client(owner: Any) -> Any:
    from django.test import Client

    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    client.force_login(owner)
    return client


def _looked_at(client: Any, path: str) -> dict[str, Any]:
    """Return the statements of a page, or the reason why it is no page."""
    from django.db import connection
    from scale_statements import Recorder, _explained

    answer = client.get(path)
    if answer.status_code != 200:
        return {"reason": f"GET answers {answer.status_code}"}
    if not answer.headers["Content-Type"].startswith("text/html"):
        return {"reason": f"GET answers {answer.headers['Content-Type']}"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    recorder = Recorder(backend)
    with connection.execute_wrapper(recorder):
        b"".join(client.get(path))
    plans = [_explained(sql, parameters) for sql, parameters in recorder.statements]
    return {
        "queries": len(recorder.statements),
        "database_ms": recorder.seconds * 1000,
        "pages": sum(pages for pages, _ in plans),
        "plans": "\n".join(plan for _, plan in plans),
    }


def _searches(examples: dict[str, str]) -> dict[str, str]:
    """Return the paths of searches, and of the look-up by primary key that they are compared with."""
    from urllib.parse import quote

    members = f"/api/v1/churches/{CHURCH}/members/"
    found = {name: f"{members}?search={quote(words)}" for name, words in SEARCHES.items()}
    return {"look-up": f"{members}{examples['member']}/", **found}


if __name__ == "__main__":
    main()
