"""The processes of a running system by role, for tests that kill one process or all."""

from __future__ import annotations

from pathlib import Path

from tests.delivery.worker.running_worker import alive, cluster_of, kill
from tests.support.waiting import wait_until
from tests.up.descendants import one, processes_of

WEB, SUPERVISOR = "web", "worker supervisor"
CLUSTER = ("cluster", "sentinel", "worker", "monitor", "pusher")
PARTS = (WEB, SUPERVISOR, *CLUSTER)
_COMMANDS = {WEB: "daphne", SUPERVISOR: "manage.py worker"}


def kill_part(data_dir: Path, part: str) -> None:
    victim = wait_until(lambda: _find(data_dir, part), 60)
    kill(victim)
    wait_until(lambda: not alive(victim))


def kill_all(data_dir: Path) -> None:
    """Kill the whole system, ``up`` first, like a power failure."""
    for pid in sorted(processes_of(data_dir)):
        try:
            kill(pid)
        except ProcessLookupError:
            pass  # it died together with its parent
    wait_until(lambda: not any(alive(pid) for pid in processes_of(data_dir)))


def _find(data_dir: Path, part: str) -> int:
    try:
        if part in _COMMANDS:
            return one(data_dir, _COMMANDS[part])
        return cluster_of(one(data_dir, _COMMANDS[SUPERVISOR])).get(part, 0)
    except StopIteration:
        return 0  # the process is still starting
