"""Signals from this app to its host, for metrics and the log. Receivers run on the event loop and must not block."""

from __future__ import annotations

from django.dispatch import Signal

clients_changed = Signal()
"""A client came (``change`` is 1) or left (-1): ``transport`` is ``socket`` or ``long_poll``."""

database_failed = Signal()
"""A query found the database away: ``error``. Receivers also run in other threads."""

events_fanned_out = Signal()
"""A frame went to the listeners of a stream: the numbers ``events`` and ``listeners``."""
