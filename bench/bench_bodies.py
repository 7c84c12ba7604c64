"""Measure the request bodies that cost the server most: ``python bench/bench_bodies.py [--size 100000]``.

The benchmark sends each shape of ``tests/support/hostile_bodies.py`` to each route of the API that takes a body, in
each field of its schema and in each content type. It measures the CPU time of the whole request in this process
(``time.process_time``), and takes the lower of two measurements if the first is high. The unit is the cost of an
ordinary text, which is measured again and again during the run, because other programs share the machine. Goals: at
most 20 times an ordinary text, and under 200 ms.

The benchmark creates its own SQLite database in a temporary directory, and sends nothing to a provider.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

GREATEST_RATIO, GREATEST_MS = 20, 200
_SHOWN = 12


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=100_000, help="bytes in each body")
    parser.add_argument("--every", type=int, default=1, help="send only every Nth body")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        _set_up(directory)
        return _measure(given.size, given.every)


def _set_up(directory: str) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "koinonia.settings", "DATA_DIR": directory,
        "SECRET_KEY": "bench" * 10, "THROTTLING_ENABLED": "0", "TELNYX_API_KEY": "bench",
        "LOG_LEVEL": "ERROR", "ALLOWED_HOSTS": "testserver",
    }  # fmt: skip
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _measure(size: int, every: int) -> int:
    from tests.support.body_costs import Office, requests_of

    office = Office()
    ordinary = [office.ordinary() for _ in range(10)][3:]
    costs: list[tuple[float, str, int]] = []
    for number, asked in enumerate(islice(requests_of(office, size), 0, None, every)):
        seconds = office.cost(asked)
        if seconds > 5 * ordinary[0]:
            seconds = min(seconds, office.cost(asked))
        costs.append((seconds, asked.told, asked.status))
        if number % 25 == 0:
            ordinary.append(office.ordinary())
    usual = statistics.median(ordinary)
    lines = [f"{len(costs)} bodies of {size} bytes; a text takes {usual * 1000:.1f} ms of CPU"]
    for seconds, told, status in sorted(costs, reverse=True)[:_SHOWN]:
        lines.append(f"{seconds * 1000:8.1f} ms {seconds / usual:6.1f} x  {status}  {told}")
    worst = max(seconds for seconds, _, _ in costs)
    met = worst / usual <= GREATEST_RATIO and worst * 1000 < GREATEST_MS
    lines.append(
        f"Worst: {worst / usual:.1f} x, {worst * 1000:.0f} ms; {'met' if met else 'NOT MET'}"
    )
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
