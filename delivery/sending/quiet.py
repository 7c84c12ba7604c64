"""Messages whose recipients are in their quiet hours wait for the end of those hours.

The host names the hours (``DELIVERY["QUIET_UNTIL"]``). They are judged at the claim, and so also after a
retry, a daily cap or a long queue: a message that was accepted in the evening does not leave at night.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from delivery import conf
from delivery.changes import message_changes
from delivery.limits import waits
from delivery.models import Message
from delivery.models.transitions import Failure

WAITS = Failure("quiet_hours", "It waits: these are quiet hours where the number is", waits.CLASS)


def without_quiet(rows: Sequence[Message], tenant: Any, now: datetime) -> list[Message]:
    """Return the claimed rows that may leave now; the others go back to the queue and wait.

    An ambiguous message does not wait: its provider knows the key for a short time only.
    """
    quiet_until = conf.quiet_until()
    settled = [row for row in rows if not row.ambiguous]
    if quiet_until is None or not settled:
        return list(rows)
    until = quiet_until(tenant, settled, now)
    held = [row for row in settled if row.pk in until]
    if held:
        with message_changes(now) as changes:
            waits.hold(held, WAITS, until, changes, now)
    return [row for row in rows if row.pk not in until]
