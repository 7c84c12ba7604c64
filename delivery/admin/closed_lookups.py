"""Limit the URL of an admin list to the filters that the list shows.

Django lets every user who may see a list filter it by any column of its table, so that masked
numbers and hidden texts could be guessed digit by digit (``?to_number__startswith=+1312``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin import ListFilter, SimpleListFilter
from django.http import HttpRequest

if TYPE_CHECKING:
    AdminBase = admin.ModelAdmin[Any]
else:
    # Django's classes take no type arguments at run time.
    AdminBase = admin.ModelAdmin

_OF_A_VALUE = ("", "__exact", "__isnull", "__isempty")
_OF_A_RELATION = ("__id__exact", "__isnull")


class ClosedLookups(AdminBase):
    """An admin with a list that accepts only the filters in ``list_filter``, and answers 400 to others."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        if "\0" in str(value) or request is None:
            return False  # PostgreSQL rejects NUL.
        return any(lookup in _parameters(self.opts, one) for one in self.get_list_filter(request))


def _parameters(opts: Any, shown: Any) -> set[str]:
    """Return the parameters of one filter of ``list_filter``."""
    if isinstance(shown, type) and issubclass(shown, SimpleListFilter):
        return {str(shown.parameter_name)}
    if isinstance(shown, type) and issubclass(shown, ListFilter):
        # A filter with several parameters declares them.
        return set(shown.parameters)  # type: ignore[attr-defined] # their convention
    field = shown if isinstance(shown, str) else shown[0]
    # A relation's bare name accepts any number, and a number of forty digits overflows on SQLite.
    suffixes = _OF_A_RELATION if opts.get_field(field).is_relation else _OF_A_VALUE
    return {f"{field}{suffix}" for suffix in suffixes}
