"""The data directory is for its owner alone: members, texts, keys and Valkey's socket are in it.

Every command and every web process makes new files private, and closes a directory that it finds
open. One that cannot be closed, or that others share (``/tmp``), is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from koinonia.config import kept_values

UMASK = 0o077
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_READ_OR_WRITE_BY_OTHERS = 0o066
_OUR_FOLDERS = ("valkey", "logs", "static")
_OUR_FILES = (
    "koinonia.sqlite3*", "valkey.sock", "*.lock", "static_collected", kept_values.SECRET_KEY,
    kept_values.DEMO_PASSWORD, *kept_values.WHILE_RUNNING,
)  # fmt: skip


class OpenDataDirError(Exception):
    """The directory is open to others and cannot be closed; the text says what to do."""


def keep_new_files_private() -> None:
    """Let every file that this process and its children make be for their owner alone."""
    os.umask(UMASK)


def prepare(data_dir: Path) -> bool:
    """Make the directory, or close it and what is ours in it; return whether it was open.

    Raises OpenDataDirError, and OSError where it cannot be made. Others may be left the right to pass
    through (mode 0711), which opens nothing: every file of ours is private by itself.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = data_dir.stat()
    if found.st_mode & stat.S_ISVTX:
        raise OpenDataDirError(
            f"{data_dir} is shared with others (its sticky bit is set): choose a DATA_DIR of its own."
        )
    was_open = bool(found.st_mode & _READ_OR_WRITE_BY_OTHERS)
    if was_open:
        _close(data_dir)
    for path in _ours(data_dir):
        if path.lstat().st_mode & _OF_OTHERS:
            _close(path)
    return was_open


def _ours(data_dir: Path) -> Iterator[Path]:
    """Yield what the project makes; a symbolic link leads to what is not in the directory."""
    for pattern in _OUR_FILES:
        yield from (path for path in data_dir.glob(pattern) if not path.is_symlink())
    for name in _OUR_FOLDERS:
        folder = data_dir / name
        if folder.is_dir() and not folder.is_symlink():
            yield folder
            yield from (path for path in folder.rglob("*") if not path.is_symlink())


def _close(path: Path) -> None:
    try:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OF_OTHERS)
    except FileNotFoundError:
        pass  # A running system has just removed it.
    except PermissionError:
        raise OpenDataDirError(
            f"{path} is open to others and belongs to another user: let its owner run"
            f" `chmod -R go= {path}`, or choose another DATA_DIR."
        ) from None
