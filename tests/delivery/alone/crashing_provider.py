from __future__ import annotations

import os
import signal

from delivery.providers.base import SendRequest, Verdict
from delivery.providers.telnyx.client import TelnyxProvider


class DeadlyProvider(TelnyxProvider):
    """Telnyx, but for one text that kills the process that sends it, as a bug in C would."""

    def send(self, request: SendRequest) -> Verdict:
        if b"Poison" in request.body:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().send(request)
