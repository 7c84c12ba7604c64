"""``manage.py`` in a process of its own, with a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FILL = """
from datetime import timedelta
from django.utils import timezone
from delivery.models import Message
from koinonia.models import Church
now = timezone.now()
church = Church.objects.create(slug="grace", name="Grace Church", phone_number="+13125550100")
for number, status in enumerate(["queued", "delivered", "scheduled"]):
    due = now + timedelta(hours=number)
    Message.objects.create(
        tenant=church, status=status, to_number=f"+1312555000{number}", from_number="+13125550100",
        text="Choir practice", created_at=now, updated_at=now, next_attempt_at=due,
    )
"""
SHOW = """
from delivery.models import Message
print(*Message.objects.order_by("pk").values_list("status", "error_code"))
"""
HELD = "('unknown', 'restored') ('delivered', '') ('scheduled', '')"


@dataclass
class Commands:
    """The commands on one data directory and one database (an empty URL is SQLite)."""

    data_dir: Path
    database_url: str = ""

    def run(self, *arguments: str) -> str:
        """Return the output of a command that succeeds."""
        ended = self.start(*arguments)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ | {"DATA_DIR": str(self.data_dir), "DATABASE_URL": self.database_url},
            capture_output=True,
            text=True,
            check=False,
        )

    def shell(self, code: str) -> str:
        return self.run("shell", "--no-imports", "-c", code).strip()
