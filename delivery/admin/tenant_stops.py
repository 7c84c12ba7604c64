"""The stops of single tenants: their history, and the pages that stop and start one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery.admin import orders, tenants
from delivery.admin.readonly import ReadOnlyAdmin, acting_user, to_the_second
from delivery.desk import overview
from delivery.limits import stops
from delivery.models import TenantStop

_MEANING = (
    "Nothing of {name} is sent until the stop ends: texts wait, and go out afterwards in their order. A text "
    "that waits longer than its lifetime (24 hours, unless its sender chose another end) expires. Answers of "
    "members still arrive. The office sees a notice on each page."
)


@admin.register(TenantStop)
class TenantStopAdmin(ReadOnlyAdmin[TenantStop]):
    change_list_template = "admin/delivery/tenantstop/change_list.html"
    list_display = ["whose", "reason", "by", "began", "ends", "state"]
    list_display_links = None
    whose = tenants.column()
    began, ends = to_the_second("since", "since"), to_the_second("until", "ends")
    list_select_related = ["tenant", "by"]
    ordering = ["-pk"]
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("delivery.add_tenantstop")

    def get_urls(self) -> list[URLPattern]:
        start = self.admin_site.admin_view(self.start_view)
        name = "delivery_tenantstop_start"
        return [path("<int:key>/start/", start, name=name), *super().get_urls()]

    @admin.display(description="state")
    def state(self, stop: TenantStop) -> SafeString | str:
        if stop.ended_at is not None:
            who = "by itself" if stop.ended_by == stops.BY_TIME else f"by {stop.ended_by}"
            why = f": {stop.end_reason}" if stop.end_reason else ""
            return f"ended {who}{why}"
        if stop.until is not None and stop.until <= timezone.now():
            return "ended by itself"
        link = reverse("admin:delivery_tenantstop_start", args=[stop.pk])
        return format_html('stopped <a href="{}">Start again…</a>', link)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {"title": f"Stopped {tenants.names()}", "tenant_name": tenants.name()}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask which tenant to stop, then for the reason, and stop it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        tenant = tenants.by_key(request.POST.get("tenant") or request.GET.get("tenant", ""))
        if tenant is None:
            return tenants.choose(
                request,
                self,
                title=f"Stop sending for a {tenants.name()}",
                back=_list(),
                back_title=f"Stopped {tenants.names()}",
            )
        now = timezone.now()
        form = orders.OrderForm(request.POST if request.method == "POST" else None, now=now)
        if request.method != "POST" or not form.is_valid():
            return orders.page(
                request,
                self,
                form,
                title=f"Stop sending for {tenant}",
                meaning=_MEANING.format(name=tenant),
                concerns=orders.waiting(
                    tenant_id=tenant.pk, name=tenants.name(), names=tenants.names(), now=now
                ),
                button="Stop sending",
                is_danger=True,
                hidden={"tenant": tenant.pk},
                back=_list(),
                back_title=f"Stopped {tenants.names()}",
            )
        given, by = form.cleaned_data, acting_user(request)
        stops.stop(tenant.pk, by=by, reason=given["reason"], until=given["until"], now=now)
        overview.kept.forget()
        stop = stops.current(tenant.pk, now)
        if stop is not None:
            self.log_addition(request, stop, f"Stopped. Reason: {given['reason']}")
        self.message_user(request, f"The texts of {tenant} wait now.", messages.SUCCESS)
        return HttpResponseRedirect(_list())

    def start_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask for the reason to end a stop, and end it."""
        if not request.user.has_perm("delivery.change_tenantstop"):
            raise PermissionDenied
        now = timezone.now()
        stop = stops.active(now).filter(pk=key).first() if key < 2**63 else None
        if stop is None:
            self.message_user(request, "This stop has ended already.", messages.WARNING)
            return HttpResponseRedirect(_list())
        form = orders.ReasonForm(request.POST if request.method == "POST" else None)
        if request.method != "POST" or not form.is_valid():
            return orders.page(
                request,
                self,
                form,
                title=f"Start sending for {stop.tenant} again",
                meaning="The texts that wait go out at the usual pace, the oldest first.",
                concerns=orders.waiting(
                    tenant_id=stop.tenant_id, name=tenants.name(), names=tenants.names(), now=now
                ),
                button="Start sending",
                is_danger=False,
                back=_list(),
                back_title=f"Stopped {tenants.names()}",
            )
        reason = form.cleaned_data["reason"]
        stops.start(stop.tenant_id, by=acting_user(request), reason=reason, now=now)
        overview.kept.forget()
        self.log_change(request, stop, f"Started again. Reason: {reason}")
        self.message_user(request, f"The texts of {stop.tenant} go out again.", messages.SUCCESS)
        return HttpResponseRedirect(_list())


def _list() -> str:
    return reverse("admin:delivery_tenantstop_changelist")
