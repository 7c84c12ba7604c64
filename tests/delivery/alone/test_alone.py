from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from delivery.providers.telnyx.simulator import TelnyxSimulator

ROOT = Path(__file__).resolve().parents[3]


def test_it_sends_in_a_project_that_has_no_koinonia(tmp_path: Path) -> None:
    with TelnyxSimulator() as telnyx:
        done = subprocess.run(
            [sys.executable, "-m", "tests.delivery.alone.send_one", telnyx.base],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.delivery.alone.settings",
                "ALONE_DATABASE": f"sqlite:///{tmp_path}/alone.sqlite3",
                "ALONE_API_KEY": telnyx.api_key,
                "PYTHONWARNINGS": "error::RuntimeWarning",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout.endswith("accepted"), done.stderr
