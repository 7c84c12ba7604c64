"""The blocks of the installation page: the shell reads them, and the stand-in knows their units."""

from __future__ import annotations

import subprocess

import pytest

from tests.install import systemd_stand_in
from tests.install.__main__ import PAGE
from tests.install.page import blocks
from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database


def test_the_shell_reads_each_block() -> None:
    read = list(blocks(PAGE))
    assert len(read) > 10
    for block in read:
        done = subprocess.run(["bash", "-n"], input=block.commands, text=True, check=False)
        assert done.returncode == 0, block


def test_only_blocks_that_install_packages_need_the_network() -> None:
    headings = {block.heading for block in blocks(PAGE) if block.needs_network}
    assert headings == {"1. Packages and the user", "2. The program"}


def test_the_stand_in_reads_a_unit_with_its_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd_stand_in, "UNITS", ROOT / "deploy" / "systemd")
    read = systemd_stand_in.properties("koinonia-web@8001")
    assert read["User"] == ["koinonia"]
    assert "--port 8001" in read["ExecStart"][-1]
