"""Measure accepting broadcasts: ``python bench/bench_accept.py [--tree PATH] [--database sqlite …]``.

Each figure stands beside its floor, which the same run measures in turn: ``bulk_create`` of the same
message rows, and on PostgreSQL a bare COPY of the same rows from prepared bytes. The broadcast itself is
a POST to the API of the build in ``--tree``, in one process: members, rendering, conversations, opt-outs,
messages, events and the answer.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from realtime_goals import Goals  # noqa: E402  # found by the path above

from tests.support.postgres import EmbeddedPostgres  # noqa: E402  # the same
from tests.support.valkey import ValkeyServer  # noqa: E402  # the same

FEW, MANY, MOST = 500, 5_000, 50_000
FLOORS = ("bulk_create", "copy")


class Build:
    """A build with an empty migrated database."""

    def __init__(self, tree: Path, environment: Mapping[str, str]) -> None:
        self._tree = tree
        self._environment = {
            **os.environ,
            **environment,
            "DJANGO_SETTINGS_MODULE": "koinonia.settings",
        }
        self._run("manage.py", "migrate", "--verbosity", "0", "--skip-checks")

    def work(self, *arguments: object) -> dict[str, Any]:
        out = self._run(str(ROOT / "bench" / "accept_work.py"), *arguments)
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found

    def _run(self, *arguments: object) -> str:
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(  # noqa: S603  # files of this repository
            command,
            cwd=self._tree,
            env=self._environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout


@contextmanager
def build(tree: Path, database: str) -> Iterator[Build]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        valkey = ValkeyServer(directory)
        environment = {
            "DATA_DIR": name, "SECRET_KEY": "bench", "REDIS_URL": valkey.url,
            "THROTTLING_ENABLED": "0", "LOG_LEVEL": "ERROR",
        }  # fmt: skip
        server = EmbeddedPostgres(directory / "postgres") if database == "postgres" else None
        if server:
            pid = (directory / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
            environment |= {"DATABASE_URL": server.url, "BENCH_POSTMASTER": pid}
        try:
            yield Build(tree, environment)
        finally:
            if server:
                server.stop("immediate")
            valkey.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT, help="the build to measure")
    parser.add_argument("--database", choices=("sqlite", "postgres"), nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, nargs="+", default=[MANY, MOST])
    parser.add_argument("--no-memory", action="store_true")
    asked = parser.parse_args()
    goals, figures = Goals(), list[tuple[str, float, str]]()
    for database in asked.database or ("postgres", "sqlite"):
        suffix = "" if database == "postgres" else f"_{database}"
        for texts in asked.texts:
            for floor, ratio in _time(asked.tree, database, texts, asked.rounds).items():
                figures.append((f"broadcast_{texts}_to_{floor}{suffix}", ratio, "x"))
        if not asked.no_memory:
            figures.append((f"broadcast_memory{suffix}", _memory(asked.tree, database), "MB"))
    for name, value, _ in figures:
        if name in _GOALS:
            goals.at_most(name, _GOALS[name], value)
    goals.report()
    for name, value, unit in figures:
        _say(json.dumps({"name": name, "value": round(value, 3), "unit": unit}))


_GOALS = {
    f"broadcast_{MANY}_to_bulk_create": 1.2,
    f"broadcast_{MANY}_to_bulk_create_sqlite": 1.2,
    f"broadcast_{MOST}_to_copy": 10,
    "broadcast_memory": 16,
    "broadcast_memory_sqlite": 16,
}


def _time(tree: Path, database: str, texts: int, rounds: int) -> dict[str, float]:
    """Print what a broadcast of ``texts`` takes, and return its ratio to each floor."""
    with build(tree, database) as under_test:
        under_test.work("seed", texts)
        found = under_test.work("time", rounds)
    _say(f"\n{database}, {found['texts']} texts{'':10}{'seconds':>9}{'CPU':>9}{'database':>10}")
    _row("first broadcast", found["first"]["post"])
    for name in ("post", *FLOORS):
        if name in found["first"]:
            taken = [each[name] for each in found["rounds"]]
            _row(name, {key: median(one[key] for one in taken) for key in taken[0]})
    ratios = {}
    for floor in FLOORS:
        if floor in found["first"]:
            ratios[floor] = median(_ratio(each, floor, "seconds") for each in found["rounds"])
            cpu = median(_ratio(each, floor, "cpu", "database_cpu") for each in found["rounds"])
            _say(f"  post to {floor}: {ratios[floor]:.2f} x of the time, {cpu:.2f} x of the CPU")
    return ratios


def _ratio(each: dict[str, dict[str, float]], floor: str, *keys: str) -> float:
    return sum(each["post"][key] for key in keys) / sum(each[floor][key] for key in keys)


def _memory(tree: Path, database: str) -> float:
    peaks = {}
    for texts in (FEW, MOST):
        with build(tree, database) as under_test:
            under_test.work("seed", texts)
            found = under_test.work("memory")
            peaks[texts] = found["peak"]
            _say(
                f"{database}, peak of the process with {texts} texts: {found['peak']:.0f} MB"
                f" (before it {found['before']:.0f} MB)"
            )
    return float(peaks[MOST] - peaks[FEW])


def _row(name: str, taken: dict[str, float]) -> None:
    _say(f"  {name:28}{taken['seconds']:>9.3f}{taken['cpu']:>9.3f}{taken['database_cpu']:>10.3f}")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the output of the program


if __name__ == "__main__":
    main()
