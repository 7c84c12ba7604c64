"""The lookup ``pk__among``: many integer keys as one parameter of the statement.

``pk__in`` has a parameter for each key: the text of the statement is another for each number of keys, and
psycopg finds and quotes each parameter in Python (decision 57).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    IntegerLookup = models.Lookup[Any]
else:
    # Django's class takes no type argument at run time.
    IntegerLookup = models.Lookup


@models.IntegerField.register_lookup
class Among(IntegerLookup):
    """``pk__among=keys``: the column has one of these integers."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return self._with(compiler, connection, "IN (SELECT value FROM json_each(%s))", "[{}]")

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return self._with(compiler, connection, "= ANY (CAST(%s AS bigint[]))", "{{{}}}")

    def _with(
        self, compiler: Any, connection: Any, condition: str, form: str
    ) -> tuple[str, tuple[str | int, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        keys = form.format(",".join(str(int(key)) for key in self.rhs))
        return f"{column} {condition}", (*parameters, keys)
