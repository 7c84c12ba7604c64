from __future__ import annotations

import os
import signal

from delivery.providers.base import OutboundText, SendOutcome
from delivery.providers.telnyx.provider import TelnyxProvider


class CrashingProvider(TelnyxProvider):
    """Telnyx, but one text kills the process that sends it, as a bug in C would."""

    def send(self, text: OutboundText) -> SendOutcome:
        if "Poison" in text.text:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().send(text)
