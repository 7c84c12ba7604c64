"""CPU, memory and number of the processes of a group, under the names that prometheus_client uses."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ProcessTree(Collector):
    """Sums over a process and its descendants.

    A parent counts the CPU of a child that has ended, so the sum never falls.
    """

    def __init__(self, root: int) -> None:
        self._root = root

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        seconds = pages = processes = 0.0
        for fields in filter(None, map(_stat, _tree(self._root))):
            # utime, stime, cutime, cstime; rss (proc_pid_stat(5), from the third field on).
            seconds += sum(int(ticks) for ticks in fields[11:15]) / _TICKS
            pages += int(fields[21])
            processes += 1
        yield CounterMetricFamily(
            "process_cpu_seconds", "Total user and system CPU time spent in seconds.", value=seconds
        )
        yield GaugeMetricFamily(
            "process_resident_memory_bytes", "Resident memory size in bytes.", value=pages * _PAGE
        )
        yield GaugeMetricFamily(
            "koinonia_processes", "Processes behind this endpoint.", value=processes
        )


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = listed.read_text().split()
        except OSError:
            continue  # The thread has ended meanwhile.
        for child in children:
            yield from _tree(int(child))


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None  # The process has ended meanwhile.
