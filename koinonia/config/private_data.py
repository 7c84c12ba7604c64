"""File permissions of the data directory, which holds members, messages, keys and Valkey's socket.

Every command and every web process creates new files as private, and removes the permissions of
other users from an open directory. The check rejects a shared directory (``/tmp``) and a directory with
permissions that it cannot change.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from koinonia.config import kept_values

UMASK = 0o077
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_READ_OR_WRITE_BY_OTHERS = 0o066
_OUR_FOLDERS = ("valkey", "logs", "static", "archive")
_OUR_FILES = (
    "koinonia.sqlite3*", "valkey.sock", "*.lock", "static_collected", "migrated", kept_values.SECRET_KEY,
    kept_values.DEMO_PASSWORD, *kept_values.WHILE_RUNNING,
)  # fmt: skip


class OpenDataDirError(Exception):
    """Other users can open the directory, and that cannot be changed. The text names a solution."""


def keep_new_files_private() -> None:
    """Set the umask so that this process and its children create private files."""
    os.umask(UMASK)


def prepare(data_dir: Path) -> bool:
    """Create the directory, or make it and the project's files private; return whether it was open.

    Raise OpenDataDirError, or OSError if the directory cannot be created. Mode 0711 is allowed: it
    lets other users pass through, and every file of the project is private.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = data_dir.stat()
    if found.st_mode & stat.S_ISVTX:
        raise OpenDataDirError(
            f"{data_dir} is shared with others (its sticky bit is set): choose a separate DATA_DIR."
        )
    was_open = bool(found.st_mode & _READ_OR_WRITE_BY_OTHERS)
    if was_open:
        _remove_permissions(data_dir)
    for path in _project_files(data_dir):
        if path.lstat().st_mode & _OTHERS:
            _remove_permissions(path)
    return was_open


def _project_files(data_dir: Path) -> Iterator[Path]:
    """Yield the files of the project, without symbolic links, which lead outside the directory."""
    for pattern in _OUR_FILES:
        yield from (path for path in data_dir.glob(pattern) if not path.is_symlink())
    for name in _OUR_FOLDERS:
        folder = data_dir / name
        if folder.is_dir() and not folder.is_symlink():
            yield folder
            yield from (path for path in folder.rglob("*") if not path.is_symlink())


def _remove_permissions(path: Path) -> None:
    try:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
    except FileNotFoundError:
        pass  # A running system has just deleted the file.
    except PermissionError:
        raise OpenDataDirError(
            f"{path} is open to others and belongs to another user: let its owner run"
            f" `chmod -R go= {path}`, or choose another DATA_DIR."
        ) from None
