"""The source of the release before this one."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from tests.support.running_system import ROOT

BEFORE = "49aea07"
"""The commit that counts as the release before."""


def is_known() -> bool:
    """Return whether the history holds that commit; a shallow clone has only the newest ones."""
    found = subprocess.run(
        ["git", "cat-file", "-e", f"{BEFORE}^{{commit}}"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    return found.returncode == 0


def unpack(directory: Path) -> Path:
    """Write the source of the release before into ``directory``."""
    packed = subprocess.run(
        ["git", "archive", BEFORE], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(directory, filter="data")
    return directory
