"""The data directory of one running system: its locks, its kept values, its logs."""

from __future__ import annotations

import fcntl
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from koinonia import kept_values
from koinonia.config import private_data

_LEFTOVERS_SECONDS = 30
_LOOK_SECONDS = 0.1


class DataDirInUseError(Exception):
    """Another system runs on this data directory."""


class DataDir:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"

    @contextmanager
    def held(self) -> Iterator[int]:
        """Hold the directory; gives the lock that every child must inherit.

        Two locks. The first is ours alone: who finds it taken finds a running ``up``. The second is
        shared with the children: after a kill -9 of ``up`` it is theirs until the last is gone.
        """
        private_data.prepare(self.path)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        with (
            (self.path / "up.lock").open("w") as ours,
            (self.path / "children.lock").open("w") as of_the_children,
        ):
            if not _lock(ours.fileno()):
                raise DataDirInUseError(
                    f"Another `manage.py up` runs on {self.path}. Stop it, or give this one a"
                    " --data-dir of its own."
                )
            self._wait_for_leftovers(of_the_children.fileno())
            self._forget_the_last_run()
            try:
                yield of_the_children.fileno()
            finally:
                self._forget_the_last_run()

    def secret_key(self) -> str:
        return self._kept(kept_values.SECRET_KEY, get_random_secret_key())

    def demo_password(self) -> str:
        return self._kept(kept_values.DEMO_PASSWORD, secrets.token_urlsafe(9))

    def _kept(self, name: str, new: str) -> str:
        if not kept_values.read(self.path, name):
            kept_values.write(self.path, name, new)
        return kept_values.read(self.path, name)

    def _wait_for_leftovers(self, lock: int) -> None:
        until = time.monotonic() + _LEFTOVERS_SECONDS
        while not _lock(lock):
            if time.monotonic() > until:
                raise DataDirInUseError(
                    f"Processes of an earlier run still use {self.path}, after"
                    f" {_LEFTOVERS_SECONDS} s."
                )
            time.sleep(_LOOK_SECONDS)

    def _forget_the_last_run(self) -> None:
        for name in kept_values.WHILE_RUNNING:
            (self.path / name).unlink(missing_ok=True)


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
