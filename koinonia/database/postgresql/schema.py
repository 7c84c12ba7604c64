"""Changes of the schema that do not let others queue behind them, for every app's migrations."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql.schema import DatabaseSchemaEditor as Base

from delivery import schema_changes


class DatabaseSchemaEditor(Base):
    """Wait a short time for each lock.

    An atomic migration gives up as a whole, and ``migrate`` repeats it. In a migration that is not
    atomic each statement is repeated.
    """

    def __enter__(self) -> DatabaseSchemaEditor:
        super().__enter__()
        if self.atomic_migration and not self.collect_sql:
            super().execute(f"SET LOCAL lock_timeout = '{schema_changes.LOCK_TIMEOUT}'")
        return self

    def execute(self, sql: Any, params: Any = ()) -> None:
        if self.collect_sql or self.connection.in_atomic_block or "CONCURRENTLY" in str(sql):
            super().execute(sql, params)
        else:
            run = super().execute
            schema_changes.briefly(self.connection, lambda: run(sql, params))
