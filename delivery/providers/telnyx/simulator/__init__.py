"""A Telnyx v2 Messaging server for tests, demos and development. Only ``registration`` needs
Django.

``TelnyxSimulator`` is the entry point; ``manage.py simulator telnyx`` runs it as a process.
"""

from __future__ import annotations

from delivery.providers.telnyx.simulator.options import Options
from delivery.providers.telnyx.simulator.simulator import TelnyxSimulator

__all__ = ["Options", "TelnyxSimulator"]
