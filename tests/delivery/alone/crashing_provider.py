from __future__ import annotations

import os
import signal

from delivery.providers.base import SendRequest, Verdict
from delivery.providers.telnyx.client import TelnyxProvider


class DeadlyProvider(TelnyxProvider):
    """Kills its process at one special message, like a bug in a C library."""

    def send(self, request: SendRequest) -> Verdict:
        if b"Poison" in request.body:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().send(request)
