"""Lists whose search takes numbers or names of people, which no URL may hold.

The box posts the words. The list behind it has them as a token that only this user can open, for a day.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from delivery.admin.letter_search import number_in
from delivery.admin.readonly import acting_user
from delivery.admin.sealed import seal, unseal
from delivery.dead_letters.queue import masked

if TYPE_CHECKING:
    AdminBase = admin.ModelAdmin[Any]
else:
    # Django's classes take no type arguments at run time.
    AdminBase = admin.ModelAdmin

_LONGEST = 200
_SEALED = "~"
"""The first sign of a token: no number or id begins with it."""
_NUMBER = re.compile(r"\+?[\d\s().\u00a0-]{6,}")
_OVER = "This search is more than a day old. Type it again."


class SealedSearch(AdminBase):
    """An admin whose list never has a person's number or name in its URL."""

    def is_personal(self, words: str) -> bool:
        """Return whether a URL must not hold the words: all that may be a number. Ids stay readable."""
        return _NUMBER.fullmatch(words) is not None

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.search_view))
        return [path("search/", view, name=self._name("search")), *super().get_urls()]

    def search_view(self, request: HttpRequest) -> HttpResponse:
        """Redirect to the list with the words in sealed form."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._lead(request, request.POST)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        words = request.GET.get(SEARCH_VAR, "").strip()
        if words.startswith(_SEALED):
            found = self._opened(request, words)
            if found is None:
                self.message_user(request, _OVER, messages.WARNING)
                return self._lead(request, request.GET, forget=True)
            words = found
        elif self.is_personal(words):
            # An old bookmark, or a link that was made by hand.
            return self._lead(request, request.GET)
        is_number = _NUMBER.fullmatch(words) is not None
        shown = masked(number_in(words) or words) if is_number else words
        request._searched = shown  # type: ignore[attr-defined] # for the search box
        return super().changelist_view(request, extra_context)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        # Typed as Any: the search box reads two more attributes.
        found: Any = super().get_changelist_instance(request)
        found.searched = getattr(request, "_searched", "")
        found.search_url = reverse(f"{self.admin_site.name}:{self._name('search')}")
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Open the sealed words, and search for them."""
        if search_term.startswith(_SEALED):
            search_term = self._opened(request, search_term) or ""
        return self.search(request, queryset, search_term)

    def search(self, request: HttpRequest, queryset: Any, words: str) -> tuple[Any, bool]:
        """Search for words as a person types them. A subclass replaces this."""
        return super().get_search_results(request, queryset, words)

    def _lead(
        self, request: HttpRequest, given: QueryDict, *, forget: bool = False
    ) -> HttpResponse:
        """Redirect to the list with the filters that were given, and with sealed words."""
        kept = QueryDict(mutable=True)
        for name in given:
            if name not in (SEARCH_VAR, "csrfmiddlewaretoken", "p"):
                kept[name] = str(given[name])
        words = given.get(SEARCH_VAR, "").replace("\0", "").strip()[:_LONGEST]
        if words and not forget:
            personal = self.is_personal(words)
            key = acting_user(request).pk
            kept[SEARCH_VAR] = f"{_SEALED}{seal(words, key)}" if personal else words
        url = reverse(f"{self.admin_site.name}:{self._name('changelist')}")
        return HttpResponseRedirect(f"{url}?{kept.urlencode()}" if kept else url)

    def _opened(self, request: HttpRequest, token: str) -> str | None:
        return unseal(token.removeprefix(_SEALED), acting_user(request).pk)

    def _name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"
