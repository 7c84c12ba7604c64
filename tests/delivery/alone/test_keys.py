"""Tenants, recipients and users with UUID or text keys work, with a real worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from delivery.providers.telnyx.simulator import TelnyxSimulator
from tests.delivery.worker.running_worker import ROOT, RunningWorker
from tests.support.waiting import wait_until


@pytest.mark.parametrize("keys", ["uuid", "text"])
def test_a_host_with_other_keys_can_use_every_feature(keys: str, tmp_path: Path) -> None:
    with TelnyxSimulator() as telnyx:
        telnyx.account.options.change({"webhooks": False})
        worker = RunningWorker(
            tmp_path,
            DJANGO_SETTINGS_MODULE="tests.delivery.alone.keyed_settings",
            ALONE_KEYS=keys,
            ALONE_API_BASE=telnyx.base,
            ALONE_API_KEY=telnyx.api_key,
            ALONE_REDIS_URL=os.environ["REDIS_URL"],
        )
        assert worker.script("keyed_walk", "write").endswith("done")
        with worker:
            wait_until(lambda: worker.statuses() == {"accepted": 44}, seconds=60)
        assert worker.script("keyed_walk", "use").endswith("done")


def test_a_host_without_time_zones_fails_a_check(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "django", "check"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.delivery.alone.keyed_settings",
            "ALONE_USE_TZ": "0",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "delivery.E010" in done.stderr
