from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from rest_framework.serializers import Field


class Computed(Field[Any, Any, Any, Any]):
    """A read-only field made of columns, and so one of those that need no model instance.

        name = Computed("first_name", "last_name", compute="{} {}".format)

    ``columns`` may lead through foreign keys (``member__first_name``). Where ``source`` is given,
    they are columns of what it names.
    """

    def __init__(self, *columns: str, compute: Callable[..., Any], **kwargs: Any) -> None:
        kwargs["read_only"] = True
        kwargs.setdefault("source", "*")
        super().__init__(**kwargs)
        self.columns = columns
        self.compute = compute
        self._getters = [attrgetter(column.replace("__", ".")) for column in columns]

    def to_representation(self, value: Any) -> Any:
        return self.compute(*(get(value) for get in self._getters))
