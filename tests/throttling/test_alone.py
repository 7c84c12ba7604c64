from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = textwrap.dedent(
    """
    import sys
    import django
    django.setup()
    from django.core.management import call_command
    from django.test import Client

    call_command("check", fail_level="WARNING", verbosity=0)
    call_command("migrate", verbosity=0)
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    print([Client().get("/").status_code for _ in range(3)])
    print(sorted(name for name in sys.modules if name.split(".")[0] in
                 {"koinonia", "delivery", "realtime", "httpopt"}))
    """
)


def test_the_app_works_in_a_project_without_the_other_apps() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.throttling.alone.settings"},
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-2:] == ["[200, 200, 429]", "[]"]
