"""The files of ended processes: their counters are added up in one file, and the files deleted.

django-q2 replaces its processes, so files would become more and more. A counter of the group must not
fall, so they cannot simply be deleted.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict


def fold(folder: Path) -> int:
    """Fold the files of ended processes, and return their number. The caller holds the lock."""
    folded = 0
    for kind in ("counter", "histogram"):
        ended = _of_ended(folder, kind)
        if ended:
            _add_up(ended, folder / f"{kind}_ended.db")
            folded += len(ended)
    for path in _of_ended(folder, "gauge_*"):
        path.unlink()
        folded += 1
    return folded


def _of_ended(folder: Path, kind: str) -> list[Path]:
    return [
        path
        for path in sorted(folder.glob(f"{kind}_*.db"))
        if (pid := path.stem.rpartition("_")[2]).isdigit() and not _runs(int(pid))
    ]


def _add_up(paths: list[Path], target: Path) -> None:
    sums = MmapedDict(str(target))
    try:
        for path in paths:
            for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path)):
                sums.write_value(key, sums.read_value(key)[0] + value, 0.0)
            path.unlink()
    finally:
        sums.close()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # It runs as another user.
    return True
