"""Lists in the environment: comma separated, without the spaces around an item, without empty items.

``environs`` splits at the comma and keeps the spaces, so that the second host of
``ALLOWED_HOSTS=a.example.org, b.example.org`` would never match.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import environs

Items = list[str]
Validator = Callable[[Sequence[str]], None]


class Env(environs.Env):
    """Reads every list variable by this rule, also those that are added later."""

    def list(  # type: ignore[override]  # the library declares a callable attribute
        self, name: str, *default: Any, validate: Validator | None = None, **options: Any
    ) -> Items:
        """Return the items as text; ``validate`` sees them stripped, and sees no empty one."""

        def check(items: Sequence[str]) -> None:
            if validate is not None:
                validate(_without_empty(items))

        split: Any = super().list
        found = split(name, *default, subcast=str.strip, validate=check, **options)
        # None where the value is bad: ``seal`` reports it.
        return _without_empty(found or ())


def _without_empty(items: Sequence[str]) -> Items:
    return [item for item in items if item]
