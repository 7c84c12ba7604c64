"""Time the named statements on the database of ``DATABASE_URL``; print them as one object of JSON.

Each name runs its real code path in a transaction that is rolled back. The time is that of its
statements; PostgreSQL then explains each of them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

RUNS = 7
_EXPLAINED = ("SELECT", "UPDATE", "INSERT", "DELETE", "WITH")


class Recorder:
    """Execute wrapper that notes the statements and their seconds."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Any]] = []
        self.seconds = 0.0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - start
            if sql.lstrip().startswith(_EXPLAINED) and not many:
                self.statements.append((sql, params))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")
    import django

    django.setup()
    from tests.support.statements import NAMED

    sys.stdout.write(json.dumps({name: measured(run) for name, run in NAMED.items()}))


def measured(run: Callable[[], object]) -> dict[str, Any]:
    """Return the median milliseconds of all statements of ``run``, their pages, and their plans."""
    _recorded(run)  # warm
    recorders = [_recorded(run) for _ in range(RUNS)]
    plans = [_explained(sql, params) for sql, params in recorders[-1].statements]
    return {
        "ms": median(recorder.seconds for recorder in recorders) * 1000,
        "pages": sum(pages for pages, _ in plans),
        "plans": "\n".join(plan for _, plan in plans),
    }


def _recorded(run: Callable[[], object]) -> Recorder:
    from django.db import connection, transaction

    recorder = Recorder()
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
