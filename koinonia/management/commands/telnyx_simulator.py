"""``manage.py telnyx_simulator``: the public name of ``manage.py simulator telnyx``."""

from __future__ import annotations

from delivery.providers.telnyx.simulator.command import Command

__all__ = ["Command"]
