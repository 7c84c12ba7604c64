"""Django's PostgreSQL backend, with prepared statements for programs that ask, and quicker times.

Use it as ``ENGINE: koinonia.database.postgresql``. Django's own cursors still prepare nothing.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.db.backends.postgresql import base

from koinonia.database.postgresql import moments
from koinonia.database.postgresql.schema import DatabaseSchemaEditor

PREPARE_THRESHOLD = 5
"""psycopg's default: a statement is prepared when it has been executed this often."""


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor

    def _configure_connection(self, connection: Any) -> bool:
        commit: bool = super()._configure_connection(connection)  # type: ignore[misc]  # the stubs lack it
        if self.timezone is UTC and self.timezone_name == "UTC":
            moments.load_quickly(connection)
        if connection.prepare_threshold is not None:
            return commit
        if _is_the_same_session(connection):
            connection.prepare_threshold = PREPARE_THRESHOLD
        return True  # Without autocommit, the question has begun a transaction.


def _is_the_same_session(connection: Any) -> bool:
    """Return whether the connection leads to one session of PostgreSQL, without a pooler between.

    PgBouncer in transaction pooling gives each transaction another session, which lacks the
    prepared statements of the one before. A pooler makes up the process id that it announces.
    """
    announced: int = connection.info.backend_pid
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(pid == announced)
