"""A primary that vanishes without a word: a firewall in a network namespace drops every packet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running_system import ROOT

_PROGRAMS = ("unshare", "iptables", "ip")

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, _PROGRAMS)),
        reason="A network namespace needs root, unshare, ip and iptables.",
    ),
]

FREE_SECONDS = 5.0
BUSY_MACHINE = 3.0
"""Processes that wait for a core. Without limits the threads hang for 15 minutes."""


@pytest.fixture
def directory() -> Iterator[Path]:
    """Make a directory that PostgreSQL's user may enter; those of pytest are private."""
    with tempfile.TemporaryDirectory(prefix="vanished-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


def test_a_vanished_primary_frees_every_thread(directory: Path) -> None:
    environment = {**os.environ, "SECRET_KEY": "k" * 60, "REDIS_URL": "unix:///nowhere"}
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.koinonia.database.vanished_primary", directory],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    if "unshare failed" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip("This machine allows no network namespace.")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for answered, seconds in [*found["in_flight"], *found["later"]]:
        assert not answered
        assert seconds < FREE_SECONDS + BUSY_MACHINE
    assert found["back"] < 30
    assert done.stderr.count("database_away") == 1
