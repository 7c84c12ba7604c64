"""The project's settings, with the lists of the contenders beside its own API.

``BENCH_STACK`` names whose middleware a server runs: one of ``httpopt_stacks.STACKS``.
"""

from __future__ import annotations

import os

from koinonia.settings import *  # noqa: F403 -- all of them, as they are

ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
ROOT_URLCONF = "httpopt_urls"
if os.environ.get("BENCH_STACK"):
    from httpopt_stacks import STACKS

    MIDDLEWARE = STACKS[os.environ["BENCH_STACK"]]
