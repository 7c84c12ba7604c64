"""A Twilio Programmable Messaging server for tests and development; free of Django but for ``command``.

``TwilioSimulator`` is the whole of it; ``manage.py simulator twilio`` runs it as a process.
"""

from __future__ import annotations

from delivery.providers.twilio.simulator.options import Credentials, Options
from delivery.providers.twilio.simulator.simulator import TwilioSimulator

__all__ = ["Credentials", "Options", "TwilioSimulator"]
