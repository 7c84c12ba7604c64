"""Measure parts that could be removed, with and without each: ``python bench/bench_removable_parts.py``.

Sparse fields, the flood guard of the login pages, and ``X-Padding``. The decisions 0038 to 0040 use
the figures. Each comparison alternates between its variants, so that a busy machine slows all of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from string import ascii_lowercase
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

LIST = "/api/v1/churches/campaign/messages/"
THREE = "?fields=id,status,member.name"
GUESSES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        from bench_httpopt import _start

        valkey = _start(Path(directory))
        try:
            sparse_fields(rounds)
            flood_guard(rounds)
            padding()
        finally:
            valkey.stop()


def sparse_fields(rounds: int) -> None:
    from django.test import Client
    from httpopt_texts import furnish

    from koinonia.api.views import messages as module

    view: Any = next(
        one for one in vars(module).values()
        if getattr(one, "sparse_rows", None) and getattr(one, "get_serializer_class", None)
        and one.__module__ == module.__name__
    )  # fmt: skip
    client = Client(headers={"Authorization": f"Bearer {furnish()}", "Accept-Encoding": "zstd"})
    say(f"sparse fields: a list of 50 messages ({view.__name__})")
    variants: dict[str, Callable[[], Any]] = {}
    for query, name in (("", "whole list"), (THREE, "three fields")):
        for rows, fields, how in (
            (True, True, "rows"),
            (False, True, "instances, only()"),
            (False, False, "without httpopt.fields"),
        ):

            def call(query: str = query, rows: bool = rows, fields: bool = fields) -> Any:
                view.sparse_rows, view.sparse_fields = rows, fields
                return client.get(LIST + query)

            variants[f"{name}, {how}"] = call
    report(variants, rounds, base="whole list, rows", size=lambda answer: len(answer.content))
    view.sparse_rows = view.sparse_fields = True


def flood_guard(rounds: int) -> None:
    from django.conf import settings
    from django.db import connection
    from django.test import Client, override_settings
    from django.test.utils import CaptureQueriesContext

    client = Client()
    tight = {**settings.THROTTLING["POLICIES"], "login_ip": "1/d"}
    queries: dict[str, int] = {}

    def post(rate: str | None, name: str) -> Callable[[], Any]:
        limits = {**settings.THROTTLING, "POLICIES": tight, "COARSE_LOGIN_RATE": rate}

        def call() -> Any:
            with override_settings(THROTTLING=limits), CaptureQueriesContext(connection) as asked:
                answer = client.post("/login/", {"username": "grace", "password": "guess"})
            queries[name] = len(asked)
            return answer

        return call

    say("\nflood guard: one POST of a flood from one address, refused with 429")
    names = ("with the guard", "without, by the buckets")
    variants = {names[0]: post("1/d", names[0]), names[1]: post(None, names[1])}
    for call in variants.values():
        call()
    report(variants, rounds, base=names[1], size=lambda answer: int(answer.status_code))
    say(f"  queries per POST: {queries}")


def padding() -> None:
    """Guess a name in a body that echoes the guess; the shortest answer wins."""
    import random

    from django.http import HttpResponse

    from httpopt.compression.encoders import encode
    from httpopt.compression.negotiation import Coding
    from httpopt.compression.responses import _pad

    def length(body: bytes, padded: bool) -> int:
        response = HttpResponse(encode(Coding.ZSTD, body))
        if padded:
            _pad(response)
        return len(response.content) + len(response.headers.get("X-Padding", ""))

    rng, tries = random.Random(7), 300  # noqa: S311 -- a repeatable sample, not a secret
    found = {False: 0.0, True: 0.0}
    extra = []
    for _ in range(tries):
        names = ["".join(rng.choices(ascii_lowercase, k=12)) for _ in range(GUESSES + 20)]
        rest = " ".join(f"Hello {name}, we meet at seven." for name in names[GUESSES:])
        bodies = [
            f"next=/messages/?x={guess} {rest} Hello {names[0]}, we meet at seven.".encode()
            for guess in names[:GUESSES]
        ]
        for padded in found:
            lengths = [length(body, padded) for body in bodies]
            # A tie with k lengths is a win in one of k cases.
            found[padded] += (lengths[0] == min(lengths)) / lengths.count(min(lengths))
        extra.append(length(bodies[0], True) - length(bodies[0], False))
    say(f"\nX-Padding: the right one of {GUESSES} guesses gives the shortest answer (chance: 10 %)")
    say(f"  without: {found[False] / tries:.0%}   with: {found[True] / tries:.0%}")
    say(f"  cost: {statistics.mean(extra):.0f} bytes per answer")


def report(
    variants: dict[str, Callable[[], Any]], rounds: int, *, base: str, size: Callable[[Any], int]
) -> None:
    wall: dict[str, list[float]] = {name: [] for name in variants}
    cpu: dict[str, list[float]] = {name: [] for name in variants}
    sizes: dict[str, int] = {}
    for _ in range(rounds):
        for name, call in variants.items():
            start, used = time.perf_counter(), time.process_time()
            answer = call()
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(time.process_time() - used)
            sizes[name] = size(answer)
    for name in variants:
        ms, busy = (quartile(one[name]) * 1000 for one in (wall, cpu))
        say(
            f"  {name:<38}{ms:>8.2f} ms ({ms / quartile(wall[base]) / 1000:.2f})"
            f"{busy:>8.2f} ms CPU ({busy / quartile(cpu[base]) / 1000:.2f}){sizes[name]:>8,}"
        )


def quartile(values: list[float]) -> float:
    return statistics.quantiles(values, n=4)[0]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
