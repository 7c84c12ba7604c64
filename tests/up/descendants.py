"""Find the processes of a running system by its data directory.

The directory is in their environment or their command line: Valkey overwrites its environment with
its title.
"""

from __future__ import annotations

import os
from pathlib import Path


def processes_of(data_dir: Path) -> dict[int, str]:
    """Return process id -> command line of every process of the system in ``data_dir``."""
    marker = f"DATA_DIR={data_dir}".encode()
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            environment, command = _read(process / "environ"), _read(process / "cmdline")
            if marker in environment.split(b"\0") or bytes(data_dir) in command:
                found[int(process.name)] = command.replace(b"\0", b" ").decode()
    return found


def one(data_dir: Path, part_of_command: str) -> int:
    return next(
        pid for pid, command in sorted(processes_of(data_dir).items()) if part_of_command in command
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # The process has ended or belongs to another user.
