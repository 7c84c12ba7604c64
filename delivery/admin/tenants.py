"""The page that searches for the tenant that an order concerns, and the host's words for tenants."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from delivery import conf

_MOST_FOUND = 20


def choose(
    request: HttpRequest,
    model_admin: Any,
    *,
    title: str,
    back: str,
    back_title: str,
    **context: Any,
) -> HttpResponse:
    """Return the page that searches for a tenant. Its lines lead to ``?tenant=<key>``."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:100]
    found = list(_found(request, wanted)[: _MOST_FOUND + 1]) if wanted else []
    shown = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "back": back,
        "back_title": back_title,
        "wanted": wanted,
        "found": found[:_MOST_FOUND],
        "more": len(found) > _MOST_FOUND,
        "tenant_name": name(),
        "media": model_admin.media,
        **context,
    }
    return TemplateResponse(request, "admin/delivery/choose_tenant.html", shown)


def by_key(key: str) -> Any | None:
    """Return the tenant with this key, or None."""
    if not key or "\0" in key:
        return None
    try:
        return apps.get_model(conf.tenant_model())._default_manager.filter(pk=key).first()
    except (ValidationError, ValueError, OverflowError):
        return None


def name() -> str:
    return str(apps.get_model(conf.tenant_model())._meta.verbose_name)


def names() -> str:
    return str(apps.get_model(conf.tenant_model())._meta.verbose_name_plural)


def column() -> Any:
    """Return a column of a list with the tenant of each row, under the host's word."""

    @admin.display(description=name())
    def shown(_admin: object, row: Any) -> str:
        return str(row.tenant)

    return shown


def _found(request: HttpRequest, wanted: str) -> QuerySet[Any]:
    """Return the tenants that match, by the search of the host's admin, else by primary key."""
    model = apps.get_model(conf.tenant_model())
    rows = model._default_manager.all()
    known = admin.site._registry.get(model)
    if known is not None and known.search_fields:
        ordered = rows.order_by(*known.ordering or ["pk"])
        return known.get_search_results(request, ordered, wanted)[0]
    tenant = by_key(wanted)
    found: QuerySet[Any] = rows.filter(pk=tenant.pk) if tenant else rows.none()
    return found
