"""The settings of the project, with the lists of the contenders as further URLs.

``BENCH_STACK`` selects the middleware of a server: a key of ``httpopt_stacks.STACKS``.
"""

from __future__ import annotations

import os

from koinonia.settings import *  # noqa: F403 -- all settings of the project

ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
ROOT_URLCONF = "httpopt_urls"
if os.environ.get("BENCH_STACK"):
    from httpopt_stacks import STACKS

    MIDDLEWARE = STACKS[os.environ["BENCH_STACK"]]
    # A contender has no page of the admin, and a web process does not start with an error of a check.
    SILENCED_SYSTEM_CHECKS = ["admin.E409"]
