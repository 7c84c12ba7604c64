"""Filters of the dead letter queue that a person keeps under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from delivery.admin.readonly import acting_user
from delivery.models import DeadLetter, SavedFilter

if TYPE_CHECKING:
    AdminBase = admin.ModelAdmin[DeadLetter]
else:
    # Django's classes take no type arguments at run time.
    AdminBase = admin.ModelAdmin

MOST = 20
"""Filters of one person."""
_LONGEST_NAME, _LONGEST_QUERY = 60, 1000


class SavedFilters(AdminBase):
    """A list that keeps filters for a person. It keeps no search, because a search may name a member."""

    def get_urls(self) -> list[URLPattern]:
        keep = self.admin_site.admin_view(require_POST(self.keep_filter))
        return [path("filters/", keep, name="delivery_saved_filters"), *super().get_urls()]

    def saved_filters(self, request: HttpRequest) -> dict[str, Any]:
        """Return the context of the row of filters above the list."""
        present = self._query(request.GET)
        mine = SavedFilter.objects.filter(user_id=acting_user(request).pk).order_by("name")
        return {"saved": list(mine[:MOST]), "present": present, "most_saved": MOST}

    def keep_filter(self, request: HttpRequest) -> HttpResponse:
        """Keep the filter of the list under a name, or forget one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user = acting_user(request)
        mine = SavedFilter.objects.filter(user_id=user.pk)
        query = self._query(QueryDict(request.POST.get("query", "")[: 2 * _LONGEST_QUERY]))
        if name := request.POST.get("forget", "").replace("\0", ""):
            if mine.filter(name=name).delete()[0]:
                self.message_user(request, f"The filter “{name}” is forgotten.", messages.SUCCESS)
        else:
            name = request.POST.get("name", "").replace("\0", "").strip()[:_LONGEST_NAME]
            level, sentence = self._keep(user.pk, mine, name, query)
            self.message_user(request, sentence, level)
        return HttpResponseRedirect(f"{reverse('admin:delivery_deadletter_changelist')}?{query}")

    def _keep(self, user: Any, mine: Any, name: str, query: str) -> tuple[int, str]:
        if not name:
            return messages.ERROR, "Give the filter a name."
        if not query:
            return messages.ERROR, "Choose a filter first, then keep it."
        if mine.filter(name=name).update(query=query):
            return messages.SUCCESS, f"The filter “{name}” is replaced."
        if mine.count() >= MOST:
            return messages.ERROR, f"You have {MOST} filters, which are the most. Forget one first."
        try:
            with transaction.atomic():
                SavedFilter.objects.create(user_id=user, name=name, query=query)
        except IntegrityError:
            return messages.ERROR, f"There is a filter “{name}” already."
        return messages.SUCCESS, f"The filter “{name}” is kept."

    def _query(self, given: QueryDict) -> str:
        """Return the filters in a query string, without search, page and unknown parameters."""
        kept = QueryDict(mutable=True)
        for name in given:
            value = str(given[name])
            if name == "o" or self.lookup_allowed(name, value, HttpRequest()):
                kept[name] = value
        found = kept.urlencode()
        return found if len(found) <= _LONGEST_QUERY else ""
