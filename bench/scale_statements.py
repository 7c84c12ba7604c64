"""Time the named statements on the database of ``DATABASE_URL``; print them as one object of JSON.

Each name runs its real code path in a transaction that is rolled back. The CPU time is that of the
backend, which other programs on the machine disturb less than the time on the wall; PostgreSQL then explains
each statement.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

RUNS = 7
_EXPLAINED = ("SELECT", "UPDATE", "INSERT", "DELETE", "WITH")


class Recorder:
    """Execute wrapper that notes the statements and the seconds that they take."""

    def __init__(self, backend: int) -> None:
        self._schedule = Path(f"/proc/{backend}/schedstat")
        self.statements: list[tuple[str, Any]] = []
        self.seconds = self.cpu_seconds = 0.0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        start, cpu = time.perf_counter(), self._cpu()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - start
            self.cpu_seconds += self._cpu() - cpu
            if sql.lstrip().startswith(_EXPLAINED) and not many:
                self.statements.append((sql, params))

    def _cpu(self) -> float:
        return int(self._schedule.read_text().split()[0]) / 1e9


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")
    import django

    django.setup()
    from tests.support.statements import NAMED

    found: dict[str, dict[str, Any]] = {}
    for name, run in NAMED.items():
        try:
            found[name] = measured(run)
        except Exception as error:
            # Filling the set takes many minutes: keep the figures of the other names.
            traceback.print_exc()
            found[name] = {"error": repr(error)}
    sys.stdout.write(json.dumps(found))


def measured(run: Callable[[], object]) -> dict[str, Any]:
    """Return the median milliseconds of all statements of ``run``, their pages, and their plans."""
    _recorded(run)  # warm
    recorders = [_recorded(run) for _ in range(RUNS)]
    plans = [_explained(sql, params) for sql, params in recorders[-1].statements]
    return {
        "ms": median(recorder.seconds for recorder in recorders) * 1000,
        "cpu": median(recorder.cpu_seconds for recorder in recorders) * 1000,
        "pages": sum(pages for pages, _ in plans),
        "plans": "\n".join(plan for _, plan in plans),
    }


def _recorded(run: Callable[[], object]) -> Recorder:
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        # The CPU time of parallel workers would not be seen.
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    recorder = Recorder(backend)
    with transaction.atomic():
        with connection.execute_wrapper(recorder):
            run()
        transaction.set_rollback(True)
    return recorder


def _explained(sql: str, params: Any) -> tuple[int, str]:
    """Return the pages that the statement touches, and its plan."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        (found,) = cursor.fetchone()
        cursor.execute(f"EXPLAIN {sql}", params)
        text = "\n".join(line for (line,) in cursor.fetchall())
        transaction.set_rollback(True)
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    pages = plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0)
    return pages, f"{sql}\n{text}\n"


if __name__ == "__main__":
    main()
