"""The simulator of ``up`` knows the numbers of churches, including later ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from tests.support.running_system import RunningSystem, database_environment
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
_IMPORT = "from koinonia.models import Church; "
NEW = "+13125550177"


def _post(system: RunningSystem, sender: str) -> Any:
    found = system.simulator
    body = {"from": sender, "to": "+13125550123", "text": "Hello"}
    headers = {"Authorization": f"Bearer {found['api_key']}"}
    return requests.post(f"{found['base']}/messages", json=body, headers=headers, timeout=60)


def test_a_text_from_a_number_of_no_church_is_refused_until_a_church_has_it(tmp_path: Path) -> None:
    database = database_environment()
    with RunningSystem(tmp_path, **database) as system:
        assert _post(system, NEW).json()["errors"][0]["code"] == "40305"
        token = system.token("grace-owner")
        church = f"{system.url}/api/v1/churches/grace/"
        own = requests.get(church, headers={"Authorization": f"Bearer {token}"}, timeout=60).json()
        assert _post(system, own["phone_number"]).status_code == 200
        give = f"Church.objects.filter(slug='grace').update(phone_number='{NEW}')"
        subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", _IMPORT + give],
            cwd=ROOT,
            env={**os.environ, **database, "DATA_DIR": str(tmp_path)},
            check=True,
        )
        wait_until(lambda: _post(system, NEW).status_code == 200)
