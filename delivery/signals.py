"""Signals from this app to its host."""

from __future__ import annotations

from django.dispatch import Signal

messages_changed = Signal()
"""Sent exactly once by every transaction that changes messages, as its last step before the commit.

Arguments: ``changes``, a list of :class:`delivery.changes.Change` in order; ``batches``, a list of
:class:`delivery.changes.NewBatch`; and ``now``. The new messages of a batch are counted in ``batches``;
only those that failed at once are also in ``changes``.
A receiver runs inside the transaction; it may write rows, except messages.
An error in a receiver rolls back the whole transaction.
"""

breaker_changed = Signal()
"""Sent after the circuit breaker changed its state: ``state`` (contract section 5) and ``reason``.

Sent outside any transaction, by the process that made the change.
"""

cap_changed = Signal()
"""Sent when a tenant's messages begin or cease to wait for its daily cap: ``tenant_id`` and ``now``.

Sent after the commit; an error in a receiver is logged and stops no message.
:func:`delivery.limits.spend.current` returns the figures.
"""

tenant_stop_changed = Signal()
"""Sent when a person stopped a tenant, or when the stop ended: ``tenant_id`` and ``now``.

Sent after the commit; an error in a receiver is logged. :func:`delivery.limits.stops.current` returns
the stop.
"""

slowdown_changed = Signal()
"""Sent when a person slowed the sending, or when the slowdown ended: ``provider`` (the alias),
``sender_number`` (empty: all numbers of the account) and ``now``.

Sent after the commit; an error in a receiver is logged.
"""

calls_settled = Signal()
"""Sent after the results of calls were written: ``results``, of :class:`delivery.settle.Result`.

For metrics. An error in a receiver is logged and stops no message.
"""

events_applied = Signal()
"""Sent after stored webhook events were applied: ``events``, and ``now``. For metrics, as above."""

webhook_answered = Signal()
"""Sent after a webhook: the alias of the ``provider`` and the HTTP ``status`` of the answer.

For metrics. Under ASGI a receiver runs on the event loop and must not block.
"""

overseen = Signal()
"""Sent by a worker about once a second while it sends, and every ten seconds while it is idle.

For the host's periodic tasks. Argument: ``now``. Sent outside any transaction.
"""

worker_started = Signal()
"""Sent once by ``manage.py worker``, before it starts its clusters: the host may print warnings."""

drains_begin = Signal()
"""Sent once by each process of a worker that sends, before its first drain: the host may tune it.

An error in a receiver is logged and stops no message.
"""
