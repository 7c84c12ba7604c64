"""Start a module as a child process of the supervisor, with the settings of this process."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings

from delivery.worker.parent_death import die_with_parent


def start_module(module: str, **variables: str) -> subprocess.Popen[bytes]:
    """Run ``python -m module`` until it ends or this process does."""
    return subprocess.Popen(  # noqa: S603 - modules that the settings name
        [sys.executable, "-m", module],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
            "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
            **variables,
        },
        preexec_fn=die_with_parent,
        # Ctrl-C reaches the whole process group; only the supervisor must act on it.
        start_new_session=True,
    )
