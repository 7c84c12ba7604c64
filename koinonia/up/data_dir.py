"""The data directory of one running system: its locks, its kept values, its logs."""

from __future__ import annotations

import fcntl
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from koinonia.config import kept_values, private_data

_EARLIER_RUN_SECONDS = 30
_LOCK_POLL_SECONDS = 0.1


class DataDirInUseError(Exception):
    """The data directory belongs to another running system."""


class DataDir:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"

    @contextmanager
    def held(self) -> Iterator[int]:
        """Lock the directory; yield the lock that every child must inherit.

        There are two locks. ``up.lock`` is ours alone: if it is taken, another ``up`` runs.
        ``children.lock`` is shared with the children: after a kill -9 of ``up`` the children hold
        it until the last of them has ended.
        """
        private_data.prepare(self.path)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        with (
            (self.path / "up.lock").open("w") as up_lock,
            (self.path / "children.lock").open("w") as children_lock,
        ):
            if not _lock(up_lock.fileno()):
                raise DataDirInUseError(
                    f"Another `manage.py up` runs on {self.path}. Stop it, or give this one a"
                    " --data-dir of its own."
                )
            self._wait_for_earlier_children(children_lock.fileno())
            self._remove_values_of_last_run()
            try:
                yield children_lock.fileno()
            finally:
                self._remove_values_of_last_run()

    def secret_key(self) -> str:
        return self._kept(kept_values.SECRET_KEY, get_random_secret_key())

    def demo_password(self) -> str:
        return self._kept(kept_values.DEMO_PASSWORD, secrets.token_urlsafe(9))

    def _kept(self, name: str, new: str) -> str:
        if not kept_values.read(self.path, name):
            kept_values.write(self.path, name, new)
        return kept_values.read(self.path, name)

    def _wait_for_earlier_children(self, lock: int) -> None:
        until = time.monotonic() + _EARLIER_RUN_SECONDS
        while not _lock(lock):
            if time.monotonic() > until:
                raise DataDirInUseError(
                    f"Processes of an earlier run still use {self.path}, after"
                    f" {_EARLIER_RUN_SECONDS} s."
                )
            time.sleep(_LOCK_POLL_SECONDS)

    def _remove_values_of_last_run(self) -> None:
        for name in kept_values.WHILE_RUNNING:
            (self.path / name).unlink(missing_ok=True)


def _lock(file: int) -> bool:
    """Take an exclusive lock on the file. Return False if another process holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
