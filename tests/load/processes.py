"""The memory of a process and its descendants, from ``/proc`` (Linux)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path


def descendants(root: int) -> list[int]:
    """Return ``root`` and its descendants."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # The process has just ended.
            continue
        children[int(fields[1])].append(int(stat.parent.name))
    found = [root]
    for process in found:
        found.extend(children[process])
    return found


def resident_megabytes(root: int) -> dict[str, int]:
    """Return ``{"<pid> <command>": MB}`` of ``root`` and its descendants."""
    memory = {}
    for process in descendants(root):
        try:
            status = Path(f"/proc/{process}/status").read_text()
            words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        kilobytes = next(
            (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")), "0"
        )
        name = " ".join(word.decode() for word in words[1:4]) or words[0].decode()
        memory[f"{process} {name[-60:]}"] = int(kilobytes) // 1024
    return memory
