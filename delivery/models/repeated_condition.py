from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, ExpressionWrapper, Q

if TYPE_CHECKING:
    Base = ExpressionWrapper[Any]
else:
    Base = ExpressionWrapper


class RepeatedCondition(Base):
    """The condition of a partial index inside a query, with its values in the SQL.

    SQLite uses a partial index only where the query has the same condition, and does not compare the
    parameters of an ``IN`` with the values in the index.
    """

    def __init__(self, condition: Q) -> None:
        super().__init__(condition, output_field=BooleanField())

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        sql, parameters = super().as_sql(compiler, connection)
        quote = connection.SchemaEditorClass(connection).quote_value
        return sql % tuple(quote(value) for value in parameters), []
