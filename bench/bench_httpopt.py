"""Measure a repeated read: ``python bench/bench_httpopt.py [--rounds 40]``.

One run alternates between the contenders, on its own SQLite and Valkey: first in this process, then on
daphne with one keep-alive connection each. Times are the lower quartile, and CPU is the CPU time of the
answering process. Ratios compare with the same list in plain DRF, with the same authentication and throttle.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from httpopt_ways import Daphne, InProcess, Way  # noqa: E402 -- found by the path above

THREE = "?fields=id,status,member.name"
LIST = "/api/v1/churches/{0}/messages/"
PLAIN, OFF = "plain DRF, 200", "httpopt switched off, 200"
WHOLE, SPARSE, AGAIN = "httpopt, zstd, 200", "httpopt, three fields, zstd", "httpopt, 304"
GOALS = {
    "in process": {WHOLE: 0.6, SPARSE: 0.5, AGAIN: 0.15},
    "on daphne": {WHOLE: 0.5, SPARSE: 0.45, AGAIN: 0.15},
}
ADDED_MS = 50
_CALLS = 3


@dataclass(frozen=True)
class Contender:
    stack: str
    """A key of ``httpopt_stacks.STACKS``; any other value uses the middleware of the project."""
    path: str
    coding: str = "identity"
    again: bool = False
    """Repeat the ETag of the first answer, and expect 304."""
    library: str = ""
    """The library that this contender needs; without it, the contender is skipped."""


def contenders() -> dict[str, Contender]:
    whole = LIST.format("campaign")
    plain, flex, extensions = (
        f"/{name}/campaign/messages/" for name in ("plain", "flex", "extensions")
    )
    dhc = "django-http-compression"
    flex_fields = "?expand=member&fields=id,status,member.name"
    return {
        PLAIN: Contender("plain", plain),
        "stock Django, gzip, 200": Contender("stock", plain, "gzip"),
        "stock Django, 304": Contender("stock", plain, "gzip", again=True),
        f"{dhc}, zstd, 200": Contender(dhc, plain, "zstd", library=dhc),
        f"{dhc}, 304": Contender(dhc, plain, "zstd", again=True, library=dhc),
        "drf-flex-fields, three fields": Contender(
            "plain", flex + flex_fields, library="drf-flex-fields"
        ),
        "drf-extensions, 200": Contender("plain", extensions, library="drf-extensions"),
        "drf-extensions, 304": Contender("plain", extensions, again=True, library="drf-extensions"),
        OFF: Contender("switched off", whole),
        "httpopt, not coded, 200": Contender("ours", whole),
        "httpopt, gzip, 200": Contender("ours", whole, "gzip"),
        "httpopt, br, 200": Contender("ours", whole, "br"),
        WHOLE: Contender("ours", whole, "zstd"),
        SPARSE: Contender("ours", whole + THREE, "zstd"),
        AGAIN: Contender("ours", whole, "zstd", again=True),
    }


@dataclass
class Measured:
    size: int = 0
    times: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return quantiles(self.times)[0]

    @property
    def cpu_seconds(self) -> float:
        return quantiles(self.cpu)[0]


def measure(
    asked: Mapping[str, Contender], ways: Mapping[str, Way], rounds: int
) -> dict[str, Measured]:
    calls = {name: _call(one, ways[one.stack]) for name, one in asked.items()}
    measured = {name: Measured(size=call()) for name, call in calls.items()}
    for _ in range(rounds):
        for name, call in calls.items():
            way = ways[asked[name].stack]
            cpu = way.cpu()
            for _ in range(_CALLS):
                start = time.perf_counter()
                call()
                measured[name].times.append(time.perf_counter() - start)
            measured[name].cpu.append((way.cpu() - cpu) / _CALLS)
    return measured


def _call(one: Contender, way: Way) -> Callable[[], int]:
    headers = {"Accept-Encoding": one.coding}
    expected = 200
    if one.again:
        headers["If-None-Match"] = way.ask(one.path, headers).etag
        expected = 304

    def call() -> int:
        answer = way.ask(one.path, headers)
        if answer.status != expected:
            raise AssertionError(f"{one.path}: status {answer.status} instead of {expected}")
        return answer.size

    return call


def report(title: str, measured: Mapping[str, Measured]) -> None:
    base = measured[PLAIN]
    goals = GOALS[title]
    say(f"\n{title:<38}{'bytes':>8}{'ms':>8}{'ratio':>7}{'goal':>7}{'CPU ms':>9}{'ratio':>7}")
    for name, one in measured.items():
        ratio, cpu = one.seconds / base.seconds, one.cpu_seconds / base.cpu_seconds
        goal = f"<={goals[name]}" if name in goals else ""
        say(
            f"  {name:<36}{one.size:>8,}{one.seconds * 1000:>8.2f}{ratio:>7.2f}{goal:>7}"
            f"{one.cpu_seconds * 1000:>9.2f}{cpu:>7.2f}{_missed(ratio, goals.get(name))}"
        )
    if OFF in measured:
        added = (measured[WHOLE].seconds - measured[OFF].seconds) * 1000
        say(f"  added to a 200 by httpopt: {added:.2f} ms (goal: under {ADDED_MS})")


def _missed(figure: float, goal: float | None) -> str:
    return "" if goal is None or figure <= goal else "  MISSED"


def report_sizes(way: Way) -> None:
    codings = ("identity", "gzip", "br", "zstd")
    say(f"{'Bytes of the list of 50 texts':<38}" + "".join(f"{coding:>10}" for coding in codings))
    for slug, aim in (("campaign", 3.2), ("inbox", 4.3)):
        for query, goal in (("", f"under 5,000, aim {aim} KB"), (THREE, "under 800")):
            sizes = [
                way.ask(LIST.format(slug) + query, {"Accept-Encoding": coding}).size
                for coding in codings
            ]
            name = f"{slug}, {'three fields' if query else 'whole'}"
            say(f"  {name:<36}" + "".join(f"{size:>10,}" for size in sizes) + f"  {goal}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        valkey = _start(Path(directory))
        try:
            _run(rounds)
        finally:
            valkey.stop()


def _start(directory: Path) -> Any:
    from tests.support.valkey import ValkeyServer

    valkey = ValkeyServer(directory)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="httpopt_settings",
        DATA_DIR=str(directory),
        SECRET_KEY="only-for-this-bench-and-long-enough-to-please-the-checks",  # noqa: S106 -- the run deletes its database
        REDIS_URL=valkey.url,
        LOG_REQUESTS="0",
        THROTTLE_API="1000000/m",
        THROTTLE_CONDITIONAL="1000000/m",
    )
    os.environ.pop("DATABASE_URL", None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    return valkey


def _run(rounds: int) -> None:
    import httpopt_peers
    from httpopt_texts import furnish

    token = furnish()
    there = {
        name: one
        for name, one in contenders().items()
        if not one.library or httpopt_peers.installed(one.library)
    }
    # A process reads HTTPOPT_ENABLED at its start: in this process httpopt stays on.
    here = {name: one for name, one in there.items() if one.stack != "switched off"}
    in_process = {stack: InProcess(token, stack) for stack in _stacks(here.values())}
    report_sizes(in_process["ours"])
    report("in process", measure(here, in_process, rounds))
    on_daphne: dict[str, Daphne] = {}
    try:
        for stack in _stacks(there.values()):
            on_daphne[stack] = Daphne(token, stack)
        report("on daphne", measure(there, on_daphne, rounds))
    finally:
        for server in on_daphne.values():
            server.stop()
    missing = {one.library for one in contenders().values()} - {
        "",
        *(o.library for o in there.values()),
    }
    if missing:
        say(f"not installed: {', '.join(sorted(missing))} (bench/requirements-httpopt.txt)")


def _stacks(asked: Iterable[Contender]) -> list[str]:
    return list(dict.fromkeys(one.stack for one in asked))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
