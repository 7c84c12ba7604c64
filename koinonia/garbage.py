"""Python's collector of reference cycles, tuned for the processes that run for weeks.

By default it looks at all young objects after 700 new ones, and often at all objects of Django. That
cost a seventh of the CPU time of the web process (docs/performance.md).
"""

from __future__ import annotations

import gc

THRESHOLDS = (20_000, 20, 20)


def collect_rarely() -> None:
    """Leave the objects of the start out of all collections, and collect the later ones rarely.

    A server calls this after its start, and a worker before its first drain.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
