"""Migration operations for large tables: none of them holds a lock that writers wait for.

On PostgreSQL an index is built and dropped ``CONCURRENTLY``, so the migration sets ``atomic = False``. An
operation that ran before is skipped: after a failure, ``migrate`` can run again. On SQLite, which has
one writer and no concurrent build, Django's own operations run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from django.db import OperationalError, migrations, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import UniqueConstraint

_IS_VALID = (
    "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " WHERE relname = %s AND pg_table_is_visible(pg_class.oid)"
)
LOCK_TIMEOUT = "200ms"
"""The longest time that others wait behind a change."""
_TRIES = 500
"""About ten minutes: the longest report that a change outlasts."""
_PAUSE_SECONDS = 1.0

Result = TypeVar("Result")


class AddIndex(migrations.AddIndex):
    """Build an index while other connections write."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = _model(self, app_label, schema_editor, to_state)
        if model is None:
            return
        if _is_postgresql(schema_editor):
            statement = self.index.create_sql(model, schema_editor, concurrently=True)
            build_index(schema_editor.connection, self.index.name, str(statement))
        else:
            schema_editor.add_index(model, self.index)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = _model(self, app_label, schema_editor, from_state)
        if model is not None:
            drop_index(schema_editor, self.index.name)


class AddField(migrations.AddField):
    """Add a column that is empty or has a default in the database, so that no row is rewritten.

    The index of a foreign key is built beside writers. A column that exists already is left alone.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = _model(self, app_label, schema_editor, to_state)
        if model is None:
            return
        connection, field = schema_editor.connection, model._meta.get_field(self.name)
        add = super().database_forwards
        if not _is_postgresql(schema_editor):
            if field.column not in _columns(connection, model):
                add(app_label, schema_editor, from_state, to_state)
            return
        indexes = schema_editor._field_indexes_sql(model, field)
        condition = field.db_check(connection)
        # PostgreSQL would check every row while the table is locked.
        vars(field)["db_check"] = lambda _: None
        if field.column not in _columns(connection, model):

            def change() -> None:
                before = list(schema_editor.deferred_sql)
                add(app_label, schema_editor, from_state, to_state)
                built_here = {str(one) for one in indexes}
                schema_editor.deferred_sql[:] = before + [
                    one
                    for one in schema_editor.deferred_sql[len(before) :]
                    if str(one) not in built_here
                ]

            briefly(connection, change)
        del vars(field)["db_check"]
        if condition:
            _check_later(schema_editor, model._meta.db_table, field.column, condition)
        for one in indexes:
            name = str(one.parts["name"]).strip('"')
            build_index(connection, name, _concurrently(str(one)))


class RemoveConstraint(migrations.RemoveConstraint):
    """Drop a constraint in a moment, or leave it alone if it is gone already."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        def change() -> None:
            super(RemoveConstraint, self).database_forwards(
                app_label, schema_editor, from_state, to_state
            )

        if not _is_postgresql(schema_editor):
            change()
        elif _is_constraint(schema_editor, self.name):
            briefly(schema_editor.connection, change)


class RemoveIndex(migrations.RemoveIndex):
    """Drop an index without waiting for a lock on the table."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if _model(self, app_label, schema_editor, from_state) is not None:
            drop_index(schema_editor, str(self.name))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        add = AddIndex(self.model_name, index)
        add.database_forwards(app_label, schema_editor, from_state, to_state)


class AddUniqueConstraint(migrations.AddConstraint):
    """Build the index of a constraint while other connections write, then make it the constraint."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if not _is_postgresql(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = _model(self, app_label, schema_editor, to_state)
        if model is None or _is_constraint(schema_editor, self.constraint.name):
            return
        quote, name = schema_editor.quote_name, self.constraint.name
        fields = cast(UniqueConstraint, self.constraint).fields
        columns = [model._meta.get_field(field).column for field in fields]
        table = quote(model._meta.db_table)
        build_index(
            schema_editor.connection,
            name,
            f"CREATE UNIQUE INDEX CONCURRENTLY {quote(name)} ON {table}"
            f" ({', '.join(map(quote, columns))})",
        )
        statement = (
            f"ALTER TABLE {table} ADD CONSTRAINT {quote(name)} UNIQUE USING INDEX {quote(name)}"
        )
        briefly(schema_editor.connection, lambda: schema_editor.execute(statement))


class RemoveUniqueIndex(migrations.RemoveConstraint):
    """Drop the unique index of a ``UniqueConstraint`` with a condition."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if _model(self, app_label, schema_editor, from_state) is not None:
            drop_index(schema_editor, str(self.name))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = _model(self, app_label, schema_editor, to_state)
        if model is None:
            return
        state = to_state.models[app_label, self.model_name_lower]
        statement = str(state.get_constraint_by_name(self.name).create_sql(model, schema_editor))
        if _is_postgresql(schema_editor):
            build_index(schema_editor.connection, str(self.name), _concurrently(statement))
        else:
            schema_editor.execute(statement)


class AlterField(migrations.AlterField):
    """Change a field without a look at the rows: a dropped foreign key or index.

    The statement needs the whole table for a moment. It gives up after a short wait, so that other
    connections do not queue behind it, and tries again.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        def change() -> None:
            super(AlterField, self).database_forwards(
                app_label, schema_editor, from_state, to_state
            )

        briefly(schema_editor.connection, change)


class DropFieldIndex(migrations.AlterField):
    """Drop the index of a field alone, where another index begins with it. The field stays as it is."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = _model(self, app_label, schema_editor, from_state)
        if model is None:
            return
        column = model._meta.get_field(self.name).column
        connection = schema_editor.connection
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        for name, one in found.items():
            alone = one["index"] and one["columns"] == [column] and not one["unique"]
            if alone and name not in _declared(model):
                drop_index(schema_editor, name)


class SetFillFactor(migrations.operations.base.Operation):
    """Leave room on each new page for new versions of its rows. PostgreSQL only; no row is moved."""

    reversible = True

    def __init__(self, model_name: str, percent: int) -> None:
        self.model_name = model_name
        self.percent = percent

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {"model_name": self.model_name, "percent": self.percent}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: models do not know the fill factor."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._set(app_label, schema_editor, to_state, self.percent)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._set(app_label, schema_editor, to_state, 100)

    def describe(self) -> str:
        return f"Fill the pages of {self.model_name} to {self.percent} %"

    def _set(self, app_label: str, schema_editor: Any, state: Any, percent: int) -> None:
        if not _is_postgresql(schema_editor):
            return
        table = schema_editor.quote_name(
            state.apps.get_model(app_label, self.model_name)._meta.db_table
        )
        briefly(
            schema_editor.connection,
            lambda: schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})"),
        )


def _is_postgresql(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"


def _is_constraint(schema_editor: BaseDatabaseSchemaEditor, name: str) -> bool:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [name])
        return cursor.fetchone() is not None


def _model(
    operation: Any, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: Any
) -> Any:
    """Return the model, or None if this database does not hold it."""
    model = state.apps.get_model(app_label, operation.model_name)
    return model if operation.allow_migrate_model(schema_editor.connection.alias, model) else None


def _check_later(schema_editor: Any, table: str, column: str, condition: str) -> None:
    """Add the check of a column under the name that PostgreSQL gives it, and validate it beside writers."""
    name = f"{table}_{column}_check"
    quote, connection = schema_editor.quote_name, schema_editor.connection
    alter = f"ALTER TABLE {quote(table)}"
    if not _is_constraint(schema_editor, name):
        add = f"{alter} ADD CONSTRAINT {quote(name)} CHECK ({condition}) NOT VALID"
        briefly(connection, lambda: schema_editor.execute(add))
    validate = f"{alter} VALIDATE CONSTRAINT {quote(name)}"
    briefly(connection, lambda: schema_editor.execute(validate))


def _columns(connection: BaseDatabaseWrapper, model: Any) -> set[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, model._meta.db_table)
    return {column.name for column in found}


def _concurrently(statement: str) -> str:
    return statement.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)


def _declared(model: Any) -> set[str]:
    return {index.name for index in model._meta.indexes}


def build_index(connection: BaseDatabaseWrapper, name: str, statement: str) -> None:
    """Build an index. An earlier try that failed has left an invalid one: drop that first."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_VALID, [name])
        found = cursor.fetchone()
        if found and found[0]:
            return
        with _patiently(cursor):
            if found:
                quoted = connection.ops.quote_name(name)
                cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quoted}")
            cursor.execute(statement)


def drop_index(schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    if not _is_postgresql(schema_editor):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS {schema_editor.quote_name(name)}")
        return
    with schema_editor.connection.cursor() as cursor, _patiently(cursor):
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")


@contextmanager
def _patiently(cursor: Any) -> Iterator[None]:
    """Wait for old transactions without a limit, because ``CONCURRENTLY`` blocks no writer."""
    for name in ("lock_timeout", "statement_timeout"):
        cursor.execute(f"SET {name} = 0")
    try:
        yield
    finally:
        for name in ("lock_timeout", "statement_timeout"):
            cursor.execute(f"RESET {name}")


def briefly(connection: BaseDatabaseWrapper, change: Callable[[], object]) -> None:
    """Make a change that locks a whole table for a moment, and let no queue form behind it.

    The change is a transaction of its own. It gives up after a short wait for a lock, lets the others
    pass, and tries again.
    """
    if connection.vendor != "postgresql":
        change()
    elif connection.in_atomic_block:
        # The transaction around it holds locks already: only its owner can give up and repeat it.
        _in_transaction(connection, change)
    else:
        repeat(lambda: _in_transaction(connection, change))


def _in_transaction(connection: BaseDatabaseWrapper, change: Callable[[], object]) -> None:
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        change()


def repeat(change: Callable[[], Result]) -> Result:
    """Make a change again while a lock that it needs is not free within the timeout."""
    for left in reversed(range(_TRIES)):
        try:
            return change()
        except OperationalError as error:
            # 55P03: the lock was not free within the timeout.
            if not left or getattr(error.__cause__, "sqlstate", "") != "55P03":
                raise
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError("The last try returns or raises.")
