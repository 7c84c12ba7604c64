"""The circuit breaker of each provider account: its changes, and the orders of a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from delivery import conf
from delivery.admin.readonly import ReadOnlyAdmin, acting_user, to_the_second
from delivery.limits import breaker, holds
from delivery.models import BreakerState, BreakerTransition
from delivery.providers import registry
from delivery.providers.base import Account

_ORDERS = {
    "open": "All calls to the provider are stopped. Texts wait and lose nothing.",
    "close": "Calls to the provider go through, even if they fail.",
    "auto": "The breaker decides automatically again.",
}


@admin.register(BreakerTransition)
class BreakerAdmin(ReadOnlyAdmin[BreakerTransition]):
    change_list_template = "admin/delivery/breakertransition/change_list.html"
    list_display = ["moment", "before", "after", "reason", "by"]
    list_display_links = None
    moment = to_the_second("at")
    list_select_related = ["by"]

    def get_urls(self) -> list[URLPattern]:
        order = self.admin_site.admin_view(require_POST(self.order))
        return [path("order/", order, name="delivery_breaker_order"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        now = timezone.now()
        context = {
            "title": "Circuit breaker",
            "accounts": [_view(account, now) for account in registry.accounts()],
            "may_order": self._may_order(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def order(self, request: HttpRequest) -> HttpResponse:
        """Give the order ``open``, ``close`` or ``auto``; the last two also end a hold.

        ``provider`` names the account; without it, the order is for the default one.
        """
        order = request.POST.get("order", "")
        alias = request.POST.get("provider") or conf.default_provider()
        if not self._may_order(request) or order not in _ORDERS or alias not in registry.aliases():
            return HttpResponse("You may not give this order.", status=403)
        _give(registry.account(alias), order, request)
        self.log_change(request, _newest(), f"Ordered: {order}.")
        self.message_user(request, _ORDERS[order], messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:delivery_breakertransition_changelist"))

    def _may_order(self, request: HttpRequest) -> bool:
        return request.user.has_perm("delivery.change_breakertransition")


def _view(account: Account, now: datetime) -> dict[str, Any]:
    return {
        "account": account,
        "name": registry.get(account.alias).name,
        "breaker": breaker.current(account, now),
        "hold": holds.current(account, now),
    }


def _give(account: Account, order: str, request: HttpRequest) -> None:
    now, by = timezone.now(), acting_user(request)
    reason = request.POST.get("reason", "").strip() or "ordered in the admin"
    if order == "open":
        breaker.force(account, BreakerState.FORCED_OPEN, by=by, reason=reason, now=now)
        return
    holds.end(account, by=by.get_username(), now=now)
    if order == "close":
        breaker.force(account, BreakerState.FORCED_CLOSED, by=by, reason=reason, now=now)
    else:
        breaker.release(account, by=by, now=now)


def _newest() -> BreakerTransition:
    return BreakerTransition.objects.first() or BreakerTransition()
