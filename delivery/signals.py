"""What this app tells its host."""

from __future__ import annotations

from django.dispatch import Signal

messages_changed = Signal()
"""Sent exactly once by every transaction that changes messages, as its last act before commit.

Arguments: ``changes``, a list of :class:`delivery.changes.Change` in the order in which they were
made, and ``now``. A receiver may write (it runs inside the transaction), but no message.
An error in a receiver rolls the whole transaction back.
"""

breaker_changed = Signal()
"""Sent after the circuit breaker changed its state: ``state`` (contract section 5) and ``reason``.

Sent outside of any transaction, by the process that made the change.
"""

cap_changed = Signal()
"""Sent after a tenant's texts began, or ceased, to wait for its daily cap: ``tenant_id`` and ``now``.

Sent after the commit; an error in a receiver is logged and stops no text. :func:`delivery.limits.spend.current` tells the figures.
"""

overseen = Signal()
"""Sent by a worker about once a second while it sends, and every ten seconds while it rests.

For slow duties of the host that nothing else would start. Argument: ``now``. Sent outside of any
transaction.
"""

worker_started = Signal()
"""Sent once by ``manage.py worker``, before it starts its clusters: the host may warn of its set-up."""
