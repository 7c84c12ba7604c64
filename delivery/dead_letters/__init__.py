"""The dead letter queue: messages that the provider did not accept, or may have accepted.

No dead letter is deleted; a person decides. Each decision writes an audit row and, if Django's admin
is installed, an entry in its log.
"""

from __future__ import annotations

from delivery.dead_letters.care import add_note, assign, colleagues
from delivery.dead_letters.decisions import discard, discard_all, review
from delivery.dead_letters.export import export
from delivery.dead_letters.queue import Filter, dead_letters, masked
from delivery.dead_letters.reasons import REFUSALS, explain
from delivery.dead_letters.retrying import RetryResult, retry

__all__ = [
    "REFUSALS",
    "Filter",
    "RetryResult",
    "add_note",
    "assign",
    "colleagues",
    "dead_letters",
    "discard",
    "discard_all",
    "explain",
    "export",
    "masked",
    "retry",
    "review",
]
