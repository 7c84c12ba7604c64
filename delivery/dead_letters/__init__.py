"""The dead letter queue: what could not be handed over, and what may or may not have been.

Nothing here is ever trimmed; a person decides. Every decision is an audit row and, where Django's
admin is installed, an entry of its log.
"""

from __future__ import annotations

from delivery.dead_letters.decisions import discard, discard_all, review
from delivery.dead_letters.export import export
from delivery.dead_letters.queue import Filter, dead_letters, masked
from delivery.dead_letters.reasons import explain
from delivery.dead_letters.retrying import RetryResult, retry

__all__ = [
    "Filter",
    "RetryResult",
    "dead_letters",
    "discard",
    "discard_all",
    "explain",
    "export",
    "masked",
    "retry",
    "review",
]
