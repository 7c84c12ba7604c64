"""Django's PostgreSQL backend, with prepared statements, quicker times, a checked pool and limits.

Use it as ``ENGINE: koinonia.database.postgresql``. Django's own cursors still prepare nothing.
"""

from __future__ import annotations

import time
from datetime import UTC
from typing import Any

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base

from koinonia.database.postgresql import moments, session_limits
from koinonia.database.postgresql.pool import CheckedPool
from koinonia.database.postgresql.schema import DatabaseSchemaEditor

PREPARE_THRESHOLD = 5
"""psycopg's default: a statement is prepared when it has been executed this often."""


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor

    @property
    def pool(self) -> CheckedPool | None:
        """Return the pool of this process, made as Django makes its own, or None without pooling."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        pools: dict[str, CheckedPool] = self._connection_pools  # type: ignore[attr-defined]  # the stubs lack it
        if self.alias not in pools:
            made = CheckedPool(
                kwargs={**self.get_connection_params(), "autocommit": True},
                open=False,
                configure=self._configure_connection,  # type: ignore[arg-type]  # returns a bool, for Django
                **(options if isinstance(options, dict) else {}),
            )
            pools.setdefault(self.alias, made)
        return pools[self.alias]

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        parameters.pop("session_limits", None)
        return parameters

    def renew_connections(self) -> None:
        """Connect again before the next statement, in every thread that shares the pool."""
        if self.pool is not None:
            self.pool.renew()
        self.close()

    def _configure_connection(self, connection: Any) -> bool:
        commit: bool = super()._configure_connection(connection)  # type: ignore[misc]  # the stubs lack it
        connection.opened_at = time.monotonic()
        if self.timezone is UTC and self.timezone_name == "UTC":
            moments.load_quickly(connection)
        limits = self.settings_dict["OPTIONS"].get("session_limits", {})
        if connection.prepare_threshold is not None and not limits:
            return commit
        if not _is_the_same_session(connection):
            session_limits.warn_behind_pooler(connection, limits)
            return True  # Without autocommit, the question has begun a transaction.
        if connection.prepare_threshold is None:
            connection.prepare_threshold = PREPARE_THRESHOLD
        session_limits.apply(connection, limits)
        return True


def _is_the_same_session(connection: Any) -> bool:
    """Return whether the connection leads to one session of PostgreSQL, without a pooler between.

    PgBouncer in transaction pooling gives each transaction another session, which lacks the
    prepared statements of the one before. A pooler makes up the process id that it announces.
    """
    announced: int = connection.info.backend_pid
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(pid == announced)
