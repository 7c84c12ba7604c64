from __future__ import annotations

import os
import socket


def worker_name() -> str:
    """Who counts as one worker, for the breaker's quorum and for the pace.

    The supervisor names its clusters, so that one which is started anew is the same worker again.
    """
    return os.environ.get("DELIVERY_WORKER") or f"{socket.gethostname()}:{os.getpid()}"
