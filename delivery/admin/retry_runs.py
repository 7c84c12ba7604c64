"""Bulk retries: the list of their results, and a page that shows the progress of one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from delivery.admin.readonly import ReadOnlyAdmin, to_the_second
from delivery.admin.renewal import EVERY_SECONDS, part
from delivery.dead_letters import REFUSALS, explain, runs
from delivery.models import RetryRun
from delivery.providers import registry

_PER_PAGE = 25
_PROGRESS = "progress_now"
"""The attribute of a row of the list."""


@admin.register(RetryRun)
class RetryRunAdmin(ReadOnlyAdmin[RetryRun]):
    change_form_template = "admin/delivery/retryrun/change_form.html"
    list_display = ["run", "moment", "by", "chosen", "retried", "result"]
    list_display_links = ["run"]
    list_select_related = ["by"]
    list_per_page = _PER_PAGE
    moment = to_the_second("at")
    ordering = ["-pk"]
    sortable_by = ()

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress_view, cacheable=True)
        name = "delivery_retryrun_progress"
        return [path("<int:key>/progress/", progress, name=name), *super().get_urls()]

    @admin.display(description="retry")
    def run(self, run: RetryRun) -> str:
        return f"#{run.pk}"

    @admin.display(description="now")
    def result(self, run: RetryRun) -> str:
        """Return the result by now."""
        found: runs.Progress = vars(run)[_PROGRESS]
        return found.sentence

    def get_queryset(self, request: HttpRequest) -> QuerySet[RetryRun]:
        return super().get_queryset(request).select_related("by")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().changelist_view(request, {"title": "Retries", **(extra_context or {})})
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown:
            rows = list(shown["cl"].result_list)
            shown["cl"].result_list = rows
            progress = runs.progress(rows)
            for row in rows:
                vars(row)[_PROGRESS] = progress[row.pk]
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        if run is not None:
            shown = {
                **_shown(run, timezone.now()),
                "title": f"Retry #{run.pk}",
                "subtitle": None,
                "renew": reverse("admin:delivery_retryrun_progress", args=[run.pk]),
                "every": EVERY_SECONDS,
            }
            extra_context = {**shown, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)

    def progress_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Return the part of the page that changes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = self.get_queryset(request).filter(pk=key).first() if key < 2**63 else None
        if run is None:
            raise Http404("There is no such retry.")
        return part(request, "admin/delivery/retryrun/_progress.html", _shown(run, timezone.now()))


def _shown(run: RetryRun, now: datetime) -> dict[str, Any]:
    progress = runs.progress([run])[run.pk]
    account = registry.aliases()[0] if registry.aliases() else ""
    return {
        "run": run,
        "progress": progress,
        "percent": 100 * progress.decided // progress.total if progress.total else 100,
        "again": [
            (code, number, explain(code, account))
            for code, number in sorted(progress.again.items())
        ],
        "refusals": [
            (number, REFUSALS.get(code, code)) for code, number in sorted(run.refused.items())
        ],
        "is_old": (now - run.at).days >= 1,
    }
