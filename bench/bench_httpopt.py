"""Measures a repeated read: ``python bench/bench_httpopt.py [--rounds 40]``.

One run, contenders interleaved, in process on SQLite and a Valkey of its own. Times are the lower
quartile, ratios are to the same list as plain DRF with the same authentication and throttle.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

if TYPE_CHECKING:
    from django.test import Client

TEXTS = [
    "Dear {name}, the service this Sunday starts at 10 in the big hall. Coffee afterwards!",
    "Hi {name}, choir practice moved to Thursday 7 pm. Please bring the blue folder.",
    "{name}, we collect food for the shelter until Friday. The door is open from 9 to 5.",
    "Thank you {name} for helping at the summer fair. It made a difference!",
]
FIRST = """
    James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard
    Susan Joseph Jessica Thomas Sarah Charles Karen Daniel Lisa Matthew Nancy Anthony Betty Mark
"""
LAST = """
    Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez
    Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris
"""
WORDS = """
    the and to of we you is in it that for on with are this be have not but at from they can will
    please thank sorry yes no today tomorrow sunday monday friday morning evening church service
    pastor choir youth group meeting prayer bible study coffee hall door key car ride home mother
    father daughter son family friend neighbour hospital doctor work school late early sick better
    happy wonderful bring cake soup bread plates chairs table music piano guitar song practice
    moved cancelled starts ends minutes hour number call text answer letter money gift donation
    volunteer help need want could would should maybe someone everyone nobody children parking
    street rain snow cold warm garden kitchen office computer sound light microphone camera
""" + """
    baptism wedding funeral harvest easter christmas advent camp bus trip ticket passport luggage
    breakfast lunch dinner vegetarian allergy glasses jacket umbrella phone charger schedule plan
""".strip()
THREE = "?fields=id,status,member.name"
ALL, PLAIN = "/api/v1/churches/{0}/messages/", "/plain/{0}/messages/"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        valkey = _start(Path(directory))
        try:
            token = _furnish()
            _report_sizes(token)
            _report_times(token, rounds)
        finally:
            valkey.stop()


def _start(directory: Path) -> Any:
    from tests.valkey import ValkeyServer

    valkey = ValkeyServer(directory)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="koinonia.settings",
        DATA_DIR=str(directory),
        SECRET_KEY="only-for-this-bench-and-long-enough-to-please-the-checks",  # noqa: S106 -- of a database that is thrown away
        REDIS_URL=valkey.url,
        THROTTLE_API="1000000/m",
    )
    os.environ.pop("DATABASE_URL", None)
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.ROOT_URLCONF = "httpopt_contenders"
    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    return valkey


def _furnish() -> str:
    from django.contrib.auth.models import User
    from knox.models import AuthToken

    from koinonia.models import Church, Role, Staff

    user = User.objects.create_user("bench")
    pick = random.Random(7)  # noqa: S311 -- the same texts in each run
    words = WORDS.split()
    for number, slug in enumerate(("campaign", "inbox")):
        church = Church.objects.create(slug=slug, name=slug, phone_number=f"+1312555020{number}")
        Staff.objects.create(church=church, user=user, role=Role.SENDER)
        for place in range(60):
            _text(church, user, place, slug == "campaign", pick, words)
    return str(AuthToken.objects.create(user=user)[1])


def _text(
    church: Any, user: Any, place: int, campaign: bool, pick: random.Random, words: list[str]
) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from delivery.models import Message
    from delivery.statuses import Status
    from koinonia.models import Member

    first, last = pick.choice(FIRST.split()), pick.choice(LAST.split())
    phone = f"+1{pick.randint(2_000_000_000, 9_999_999_999)}"
    member = Member.objects.create(church=church, first_name=first, last_name=last, phone=phone)
    text = TEXTS[place % 4].format(name=first) if campaign else " ".join(pick.choices(words, k=14))
    # A list is in the order of its times.
    made = timezone.now() - timedelta(minutes=40 * (60 - place), seconds=pick.randint(0, 59))
    Message.objects.create(
        tenant=church, recipient=member, author=user, to_number=phone, text=text,
        from_number=church.phone_number, status=Status.DELIVERED, attempts=1, thread=member.pk,
        batch=church.pk if campaign else None, created_at=made, updated_at=made, sent_at=made,
        delivered_at=made + timedelta(seconds=3), expires_at=made + timedelta(days=1),
    )  # fmt: skip


def _client(token: str, middleware: list[str] | None = None) -> Client:
    from django.test import Client, override_settings

    client = Client(headers={"Authorization": f"Bearer {token}"})
    if middleware is not None:
        with override_settings(MIDDLEWARE=middleware):
            client.handler.load_middleware()
    return client


def _report_sizes(token: str) -> None:
    client = _client(token)
    print("Bytes of the list of 50 texts")  # noqa: T201 -- its output
    for slug in ("campaign", "inbox"):
        for query in ("", THREE):
            sizes = {
                coding: len(
                    client.get(
                        ALL.format(slug) + query, headers={"Accept-Encoding": coding}
                    ).content
                )
                for coding in ("identity", "gzip", "br", "zstd")
            }
            told = "  ".join(f"{coding} {size:>6,}" for coding, size in sizes.items())
            print(f"  {slug:<9}{'three fields' if query else 'whole':<13} {told}")  # noqa: T201 -- its output


def _report_times(token: str, rounds: int) -> None:
    measured: dict[str, list[float]] = {}
    contenders = _contenders(token)
    for call in contenders.values():
        call()
    for _ in range(rounds):
        for name, call in contenders.items():
            start = time.perf_counter()
            call()
            measured.setdefault(name, []).append(time.perf_counter() - start)
    base = quantiles(measured["plain DRF, 200"])[0]
    print(f"\nTime in process, {rounds} rounds (lower quartile; ratio to plain DRF)")  # noqa: T201 -- its output
    for name, times in measured.items():
        quartile = quantiles(times)[0]
        print(f"  {name:<34}{quartile * 1000:>8.2f} ms {quartile / base:>7.2f}")  # noqa: T201 -- its output


def _contenders(token: str) -> dict[str, Callable[[], None]]:
    import httpopt_contenders as contenders

    ours = _client(token)
    plain, stock = _client(token, contenders.PLAIN), _client(token, contenders.STOCK)
    whole, by_hand = ALL.format("campaign"), PLAIN.format("campaign")
    return {
        "plain DRF, 200": _asking(plain, by_hand, {}, 200),
        "stock Django gzip, 200": _asking(stock, by_hand, {"Accept-Encoding": "gzip"}, 200),
        "stock Django, 304": _again(stock, by_hand, "gzip"),
        "httpopt, whole list, not coded": _asking(ours, whole, {}, 200),
        "httpopt, whole list, zstd": _asking(ours, whole, {"Accept-Encoding": "zstd"}, 200),
        "httpopt, whole list, gzip": _asking(ours, whole, {"Accept-Encoding": "gzip"}, 200),
        "httpopt, three fields, zstd": _asking(
            ours, whole + THREE, {"Accept-Encoding": "zstd"}, 200
        ),
        "httpopt, 304": _again(ours, whole, "zstd"),
    }


def _asking(client: Client, path: str, headers: dict[str, str], status: int) -> Callable[[], None]:
    def call() -> None:
        answer = client.get(path, headers=headers)
        if answer.status_code != status:
            raise AssertionError(f"{path}: {answer.status_code}, not {status}")

    return call


def _again(client: Client, path: str, coding: str) -> Callable[[], None]:
    headers = {"Accept-Encoding": coding}
    tag = client.get(path, headers=headers)["ETag"]
    return _asking(client, path, {**headers, "If-None-Match": tag}, 304)


if __name__ == "__main__":
    main()
