"""Limits that PostgreSQL keeps for a session: of a statement, of a lock, of an idle transaction.

They cannot travel in the startup packet (``options=-c …``), because PgBouncer refuses parameters that it
does not know. They are set by a statement, on a connection that leads to one session. In transaction
pooling a ``SET`` would stay on a session that others use next: there the role of the database has the
limits (``ALTER ROLE … SET``, docs/operations/timeouts.md), and a warning says so if it has none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger(__name__)

SERVING: Mapping[str, str] = {
    "statement_timeout": "30s",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "60s",
}
"""The limits of web and worker. ``DATABASE_URL`` may change each of them."""

_lifted = False
_has_warned = False


def lift() -> None:
    """Set no limits in this process: a command may work for hours (an index, a restore, prune)."""
    global _lifted
    _lifted = True


def apply(raw: Any, limits: Mapping[str, str]) -> None:
    """Set the limits on a psycopg connection that is one session of PostgreSQL."""
    if limits and not _lifted:
        calls = ", ".join(["set_config(%s, %s, false)"] * len(limits))
        raw.execute(f"SELECT {calls}", [part for limit in limits.items() for part in limit])


def warn_behind_pooler(raw: Any, limits: Mapping[str, str]) -> None:
    """Warn once in a process if a pooler hides the session and the role has no limit."""
    global _has_warned
    if not limits or _lifted or _has_warned:
        return
    _has_warned = True
    if raw.execute("SELECT current_setting('statement_timeout')").fetchone()[0] == "0":
        logger.warning(
            "Behind a pooler in transaction pooling the role of DATABASE_URL needs a"
            " statement_timeout: see docs/operations/timeouts.md.",
            extra={"action": "no_statement_timeout"},
        )
