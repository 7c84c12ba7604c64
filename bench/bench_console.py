"""Measure the pages of the console: ``python bench/bench_console.py [--messages 1000000] [--members 50000]``.

PostgreSQL holds 200 churches (``bench/scale_set.py``); the large one has a fifth of the messages and all of
``--members``. One web process answers. For each GET page of ``koinonia/console/urls.py``:

* its time to the answer (p95), asked in turn with ``GET /login/``, and the ratio of the two,
* the CPU time of the web process and of PostgreSQL, and that ratio, which other programs disturb less,
* its statements, and the pages of the database that they read,
* the bytes that Chromium receives on a first visit, and on the next.

Then searches of the members through the API, beside a look-up by primary key. ``--keep`` keeps the
database in a directory for the next run, ``--database`` takes a filled one, ``--tree`` measures another checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from console_bytes import Visits  # noqa: E402  # found by the path above
from console_web import LOGIN, System, Web  # noqa: E402  # the same
from figures import print_figure, say  # noqa: E402  # the same
from scale_set import FAST_LOAD, fill  # noqa: E402  # found by the path above
from system_parts import Build  # noqa: E402  # the same

from tests.support.postgres import EmbeddedPostgres  # noqa: E402  # the same
from tests.support.running_system import free_port  # noqa: E402  # the same
from tests.support.valkey import ValkeyServer  # noqa: E402  # the same

FILLED = "filled"
"""The file that says that the rows of a kept database are complete."""
MOST_RATIO, MOST_QUERIES, MOST_FIRST, MOST_NEXT, MOST_SEARCH = 5, 12, 60_000, 8_000, 3


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        directory = Path(name)
        os.chmod(directory, 0o711)  # noqa: S103  # PostgreSQL runs as another user if we are root
        url = options.database or _filled(options, directory, stack)
        valkey = ValkeyServer(directory)
        stack.callback(valkey.stop)
        port = free_port()
        system = System(
            Build(options.tree.resolve()), port, _environment(url, valkey.url, port, directory)
        )
        system.manage("migrate", "--noinput", "--verbosity", "0", "--skip-checks")
        system.manage("collectstatic", "--noinput", "--verbosity", "0")
        found = json.loads(system.run(str(ROOT / "bench" / "console_pages.py")))
        with system.serving(directory) as web:
            report(web, found, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--members", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--database", help="the URL of a filled database, which is migrated")
    parser.add_argument(
        "--keep", type=Path, help="a directory that keeps the database for more runs"
    )
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout that is measured")
    parser.add_argument("--only", default="", help="the pages whose names contain this")
    parser.add_argument("--plans", type=Path, default=Path("var/console_plans.txt"))
    return parser.parse_args()


def _filled(options: argparse.Namespace, directory: Path, stack: ExitStack) -> str:
    place = options.keep or directory / "postgres"
    is_filled = (place / FILLED).exists()
    server = EmbeddedPostgres(place)
    stack.callback(server.stop, "fast" if options.keep else "immediate")
    if is_filled:
        return server.url
    server.configure(FAST_LOAD)
    system = System(Build(options.tree.resolve()), 0, _environment(server.url, "", 0, directory))
    system.manage("migrate", "--noinput", "--verbosity", "0", "--skip-checks")
    fill(server.url, options.messages, say, members=options.members)
    (place / FILLED).touch()
    return server.url


def _environment(database: str, redis: str, port: int, directory: Path) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": database,
        "REDIS_URL": redis or "redis://127.0.0.1:1",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DATA_DIR": str(directory / "var"),
        "SECRET_KEY": "only-for-benchmarks-and-long-enough-to-please-the-checks-0123456789",
        "THROTTLING_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
        "PYTHONUNBUFFERED": "1",
    }


def report(web: Web, found: Mapping[str, Any], options: argparse.Namespace) -> None:
    cookie = found["cookie"]
    pages = [page for page in found["pages"] if options.only in page["name"]]
    times = web.times(
        {"login": LOGIN, **{page["name"]: page["path"] for page in pages}}, cookie, options.rounds
    )
    login, login_cpu = _p95(times["login"]), web.cpu(LOGIN, cookie)
    say(f"GET /login/: p95 {login:.1f} ms, CPU {login_cpu:.1f} ms")
    say(
        f"{'page':32}{'p50 ms':>8}{'p95 ms':>8}{'ratio':>7}{'CPU ms':>8}{'ratio':>7}"
        f"{'queries':>9}{'db pages':>9}{'first B':>9}{'next B':>8}"
    )
    worst = dict.fromkeys(("ratio", "cpu_ratio", "queries", "first", "next"), 0.0)
    with Visits(web.url, cookie) as visits:
        for page in pages:
            _measure(page, web, times, visits, login, login_cpu, cookie, worst)
    for name, reason in found["skipped"].items():
        say(f"{name:32} not measured: {reason}")
    _write_plans(options.plans, pages)
    _report_searches(web, found["searches"], cookie, options.rounds)
    print_figure("console_p95_to_login", worst["ratio"], "x")
    print_figure("console_cpu_to_login", worst["cpu_ratio"], "x")
    print_figure("console_queries", worst["queries"], "count")
    print_figure("console_first_visit", worst["first"] / 1000, "kB")
    print_figure("console_next_visit", worst["next"] / 1000, "kB")


def _measure(
    page: Mapping[str, Any],
    web: Web,
    times: Mapping[str, list[float]],
    visits: Visits,
    login: float,
    login_cpu: float,
    cookie: str,
    worst: dict[str, float],
) -> None:
    """Print the row of a page, and keep the worst figures."""
    mine = times[page["name"]]
    p95, cpu = _p95(mine), web.cpu(page["path"], cookie)
    first, following = visits.bytes_of(page["path"])
    row = {
        "ratio": p95 / login, "cpu_ratio": cpu / login_cpu, "queries": page["queries"],
        "first": first, "next": following,
    }  # fmt: skip
    for name, value in row.items():
        worst[name] = max(worst[name], value)
    bounds = (MOST_RATIO, float("inf"), MOST_QUERIES, MOST_FIRST, MOST_NEXT)
    missed = [
        name for (name, value), bound in zip(row.items(), bounds, strict=True) if value > bound
    ]
    say(
        f"{page['name']:32}{mine[len(mine) // 2] * 1000:>8.1f}{p95:>8.1f}{row['ratio']:>7.2f}"
        f"{cpu:>8.1f}{row['cpu_ratio']:>7.2f}{page['queries']:>9}{page['pages']:>9}"
        f"{first:>9}{following:>8}{'  MISSED: ' + ', '.join(missed) if missed else ''}"
    )


def _report_searches(web: Web, paths: Mapping[str, str], cookie: str, rounds: int) -> None:
    times = web.times(paths, cookie, rounds)
    base = _p95(times["look-up"])
    base_cpu = web.cpu(paths["look-up"], cookie)
    say(f"\nA look-up of a member: p95 {base:.1f} ms, CPU {base_cpu:.1f} ms. Searches:")
    ratios = []
    for name, path in paths.items():
        if name != "look-up":
            p95, cpu = _p95(times[name]), web.cpu(path, cookie)
            ratios.append(p95 / base)
            missed = "  MISSED" if ratios[-1] > MOST_SEARCH else ""
            say(
                f"{name:32}{p95:>8.1f} ms{ratios[-1]:>7.2f} x, CPU{cpu:>6.1f} ms"
                f"{cpu / base_cpu:>7.2f} x{missed}"
            )
    print_figure("search_p95_to_look_up", max(ratios), "x")


def _p95(times: list[float]) -> float:
    return times[min(len(times) - 1, int(len(times) * 0.95))] * 1000


def _write_plans(file: Path, pages: list[Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        "\n".join(f"== {page['name']} {page['path']}\n{page['plans']}\n" for page in pages)
    )
    say(f"The plans are in {file}.")


if __name__ == "__main__":
    main()
