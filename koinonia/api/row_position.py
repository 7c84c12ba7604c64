"""The condition for the rows before or after a position in an ordered list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import BooleanField, F, Func, Value


class Beyond(Func):
    """``(a, b) < (x, y)``: the rows after a position in a list with descending columns.

    Both databases go straight to the position along an index. Conditions for each column would read
    all rows that share the first value: a broadcast gives thousands of texts one time.
    """

    output_field = BooleanField()
    conditional = True

    def __init__(self, columns: Sequence[str], position: Sequence[Any], *, back: bool) -> None:
        self.comparison = ">" if back else "<"
        super().__init__(*(F(column) for column in columns), *map(_expression, position))

    def as_sql(  # type: ignore[override] # no template: the SQL is built here
        self, compiler: Any, connection: Any, **_: Any
    ) -> tuple[str, list[Any]]:
        compiled = [compiler.compile(one) for one in self.get_source_expressions()]
        texts = [sql for sql, _ in compiled]
        half = len(texts) // 2
        rows = [f"({', '.join(side)})" for side in (texts[:half], texts[half:])]
        parameters = [value for _, values in compiled for value in values]
        return f"{rows[0]} {self.comparison} {rows[1]}", parameters


def _expression(value: Any) -> Any:
    return value if isinstance(value, Value) else Value(value)
