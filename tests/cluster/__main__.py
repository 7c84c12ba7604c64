"""``make cluster``: several machines on this one, faults, and a report. Needs root.

Exit 1: a guarantee is broken. Exit 2: it cannot run here.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from tests.cluster import namespaces
from tests.cluster.faults import FAULTS
from tests.cluster.run import Run, in_order
from tests.cluster.system import Cluster


def main() -> int:
    options = _options()
    try:
        namespaces.check()
    except namespaces.NotPossibleError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    signal.signal(signal.SIGTERM, _end)
    namespaces.remove_leftovers()
    chosen = [fault for fault in FAULTS if options.only in fault.name]
    limits = {"THROTTLE_MESSAGES": "60/m:20", "THROTTLE_BROADCASTS": "1000/h"}
    with Cluster(**limits) as cluster:
        _say(f"The cluster is ready at {cluster.url}; its logs are in {cluster.directory}.")
        run = Run(cluster, _say)
        try:
            run.begin()
            for fault in in_order(chosen, options.seed, options.minutes):
                run.meet(fault)
            report = run.finish()
        finally:
            run.stop()
            if options.logs:
                _keep_logs(cluster.directory, options.logs)
    sys.stdout.write("\n".join([*report.lines(), ""]))
    return 0 if report.passed else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="how long (default 20)")
    parser.add_argument("--seed", type=int, default=7, help="of the random order (default 7)")
    parser.add_argument("--only", default="", help="only faults whose name contains this")
    parser.add_argument("--logs", type=Path, help="keep the logs of all programs in this folder")
    return parser.parse_args()


def _keep_logs(directory: Path, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    for log in directory.glob("*.log"):
        shutil.copy(log, kept)


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    raise SystemExit(main())
