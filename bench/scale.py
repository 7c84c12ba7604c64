"""Compare statements at two sizes: ``make scale`` (``python bench/scale.py [--sizes 100000 10000000]``).

Both sets are databases of one PostgreSQL server, and the statements of ``tests/support/statements.py`` run on
them in turn. The table has the least of the rounds' medians (CPU time of the backend, time on the wall) and the pages that
each reads; the plans go into a file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import psycopg  # noqa: E402
from figures import print_figure, say  # noqa: E402  # found by the path above
from psycopg import sql  # noqa: E402
from scale_set import FAST_LOAD, fill  # noqa: E402  # found by the path above

from tests.support.postgres import EmbeddedPostgres  # noqa: E402  # found by the path above

WORST_RATIO = 1.5
NOTICEABLE_MS = 5
"""Faster statements vary by more than the ratio."""
Measured = Mapping[str, Mapping[str, Any]]


def main() -> None:
    options = _options()
    small, large = sorted(options.sizes)
    with tempfile.TemporaryDirectory(prefix="scale-", dir=options.directory) as directory:
        os.chmod(directory, 0o711)  # noqa: S103  # PostgreSQL runs as another user if we are root
        server = EmbeddedPostgres(Path(directory) / "postgres")
        try:
            server.configure(FAST_LOAD)
            urls = {size: _filled(server, size, Path(directory)) for size in (small, large)}
            rounds: dict[int, list[Measured]] = {small: [], large: []}
            for _ in range(options.rounds):
                for size, url in urls.items():
                    rounds[size].append(_measure(url, Path(directory)))
        finally:
            server.stop("immediate")
    _write_plans(options.plans, rounds)
    _report(small, large, rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs=2, default=[100_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plans", type=Path, default=Path("var/scale_plans.txt"))
    parser.add_argument(
        "--directory", help="where the database lives; 10,000,000 messages need 11 GB"
    )
    return parser.parse_args()


def _filled(server: EmbeddedPostgres, messages: int, directory: Path) -> str:
    """Create and fill a database; return its URL."""
    name = f"scale_{messages}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = server.url.rsplit("/", 1)[0] + f"/{name}"
    _run(["manage.py", "migrate", "--noinput", "--verbosity", "0", "--skip-checks"], url, directory)
    say(f"{messages:,} messages:")
    started = time.monotonic()
    fill(url, messages, say)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    size = found[0] / 2**30 if found else 0
    say(f"  in all {time.monotonic() - started:.0f} s, {size:.1f} GB")
    return url


def _measure(url: str, directory: Path) -> Measured:
    found: Measured = json.loads(_run(["bench/scale_statements.py"], url, directory))
    return found


def _run(command: Sequence[str], url: str, directory: Path) -> str:
    environment = os.environ | {
        "DATABASE_URL": url,
        "DATA_DIR": str(directory / "var"),
        "SECRET_KEY": "only-for-benchmarks-and-long-enough-to-please-the-checks-0123456789",
        "REDIS_URL": "redis://127.0.0.1:1",
        "THROTTLING_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
    }
    done = subprocess.run(  # noqa: S603  # a file of this repository
        [sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout


def _write_plans(file: Path, rounds: Mapping[int, Sequence[Measured]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as plans:
        for size, measured in rounds.items():
            for name, found in measured[-1].items():
                plans.write(f"== {name}, {size:,} messages\n{found.get('plans')}\n\n")
    say(f"\nThe plans are in {file}.")


def _report(small: int, large: int, rounds: Mapping[int, Sequence[Measured]]) -> None:
    results = [one for measured in rounds.values() for one in measured]
    names = [name for name in results[0] if not any("error" in one[name] for one in results)]
    failed = sorted(results[0].keys() - set(names))
    found = {
        size: {
            name: (
                min(one[name]["cpu"] for one in rounds[size]),
                min(one[name]["ms"] for one in rounds[size]),
                rounds[size][-1][name]["pages"],
            )
            for name in names
        }
        for size in (small, large)
    }
    say(f"\n{'':36}{f'at {small:,} messages':>31}{f'at {large:,} messages':>31}{'ratio of':>12}")
    columns = f"{'CPU ms':>10}{'ms':>10}{'pages':>11}"
    say(f"{'statements of':36}{columns}{columns}{'CPU':>6}{'pages':>7}")
    for name in sorted(names, key=lambda name: -found[large][name][0]):
        before, now = found[small][name], found[large][name]
        ratio = now[0] / before[0]
        cells = "".join(f"{cpu:>10.2f}{ms:>10.2f}{pages:>11}" for cpu, ms, pages in (before, now))
        flag = "  GROWS" if ratio > WORST_RATIO and now[0] > NOTICEABLE_MS else ""
        say(f"{name:36}{cells}{ratio:>6.2f}{now[2] / max(1, before[2]):>7.2f}{flag}")
    slowest = max(names, key=lambda name: found[large][name][0])
    print_figure(
        "slowest_statement_growth", found[large][slowest][0] / found[small][slowest][0], "x"
    )
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
