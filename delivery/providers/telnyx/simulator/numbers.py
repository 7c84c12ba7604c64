"""Recipient numbers that trigger a fault: valid numbers of North Dakota in the 555 exchanges."""

from __future__ import annotations

import threading
from collections import Counter

from delivery.providers.simulator.faults import Fault
from delivery.providers.telnyx.simulator.codes import ASYNCHRONOUS, SYNCHRONOUS
from delivery.providers.telnyx.simulator.faults import FAULTS

_REFUSED = "+1701555"
"""followed by a synchronous code without its second digit (40300: +17015554300)"""
_FAILED = "+1701556"
"""followed by an asynchronous code in the same form"""
_OTHERS = "+1701557"
_RECOVERS = "+1701558"
"""``000N``: N answers of 503, then success"""

_LISTED = (
    "500", "500_html", "500_empty", "502_html", "503", "503_html", "504", "504_empty",
    "429", "429_without_retry_after", "close", "drop", "slow", "broken_json", "no_id",
    "accepted_504", "duplicated", "reordered", "delayed", "lost", "no_finalized", "webhook_first",
    "unknown_event", "unknown_field", "delivery_unconfirmed", "delivery_failed",
    "delivery_failed_bare", "sending_failed", "expired", "bad_signature", "stale_signature",
    "missing_signature", "cost_null",
)  # fmt: skip


def _suffix(code: str) -> str:
    return code[0] + code[2:]


RECIPIENTS: dict[str, str] = (
    {_REFUSED + _suffix(code): code for code in SYNCHRONOUS}
    | {_FAILED + _suffix(code): code for code in ASYNCHRONOUS}
    | {f"{_OTHERS}{number:04}": name for number, name in enumerate(_LISTED, start=1)}
)
"""The name of the fault of each number."""

RECOVERING = {f"{_RECOVERS}{times:04}": times for times in range(1, 10)}
"""The number of failures before a success, for each number."""

NUMBER_OF = {name: number for number, name in RECIPIENTS.items()}


class Recipients:
    """Faults by recipient; numbers that recover are counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: Counter[str] = Counter()

    def fault_of(self, number: str) -> Fault | None:
        if (name := RECIPIENTS.get(number)) is not None:
            return FAULTS[name]
        times = RECOVERING.get(number)
        if times is None:
            return None
        with self._lock:
            self._failed[number] += 1
            return FAULTS["503"] if self._failed[number] <= times else None

    def clear(self) -> None:
        with self._lock:
            self._failed.clear()


def table() -> str:
    """Return a table of every number and its fault, for ``--help``."""
    lines = [f"  {number}  {name:24} {FAULTS[name].meaning}" for number, name in RECIPIENTS.items()]
    for number, times in RECOVERING.items():
        lines.append(f"  {number}  {'503':24} {times} times, then accepted")
    return "\n".join(lines)
