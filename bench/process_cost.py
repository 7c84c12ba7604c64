"""The CPU time and the memory of process trees, from ``/proc``."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_MEGABYTE = 1024


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    ticks: int
    """CPU time of the process and of its ended children, in clock ticks."""


def cpu_seconds(roots: Iterable[int]) -> float:
    """Return the user and system time of the processes and all their descendants, ended ones included."""
    return sum(process.ticks for process in _trees(roots)) / _TICKS_PER_SECOND


def pids(roots: Iterable[int]) -> list[int]:
    """Return the processes and all their descendants."""
    return [process.pid for process in _trees(roots)]


def megabytes(roots: Iterable[int]) -> tuple[float, float]:
    """Return the resident set size (RSS) and the proportional one (PSS), summed over the trees."""
    sizes = [_sizes(process.pid) for process in _trees(roots)]
    return sum(rss for rss, _ in sizes), sum(pss for _, pss in sizes)


def _trees(roots: Iterable[int]) -> list[_Process]:
    children: defaultdict[int, list[_Process]] = defaultdict(list)
    by_pid = {process.pid: process for process in _all_processes()}
    for process in by_pid.values():
        children[process.parent].append(process)
    found: list[_Process] = []
    waiting = [by_pid[pid] for pid in roots if pid in by_pid]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children[process.pid]
    return found


def _all_processes() -> Iterable[_Process]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue  # It has ended.
            # The name of the program is in parentheses and may contain blanks.
            fields = stat.rpartition(")")[2].split()
            ticks = sum(int(value) for value in fields[11:15])
            yield _Process(int(folder.name), int(fields[1]), ticks)


def _sizes(pid: int) -> tuple[float, float]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0, 0.0  # It has ended.
    kilobytes = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
    return kilobytes["Rss:"] / _MEGABYTE, kilobytes["Pss:"] / _MEGABYTE
