"""Signals from this app to its host, for metrics."""

from __future__ import annotations

from django.dispatch import Signal

body_encoded = Signal()
"""The body of an answer was compressed: its length in bytes ``before`` and ``after``. Not for streams."""
