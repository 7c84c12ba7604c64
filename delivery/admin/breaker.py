"""The circuit breaker of each provider account: its changes, and the orders of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from delivery import conf
from delivery.admin import orders
from delivery.admin.readonly import ReadOnlyAdmin, acting_user, to_the_second
from delivery.desk import overview
from delivery.desk.accounts import accounts
from delivery.limits import breaker, holds
from delivery.models import BreakerState, BreakerTransition
from delivery.providers import registry
from delivery.providers.base import Account


@dataclass(frozen=True, slots=True)
class _Order:
    """An order to the breaker, in words."""

    title: str
    button: str
    meaning: str
    done: str
    """The sentence after it."""


_ORDERS = {
    "open": _Order(
        "Stop all calls",
        "Stop all calls",
        "Nothing is sent through this account until the order ends. Texts wait, and go out afterwards in "
        "their order. A text that waits longer than its lifetime (24 hours, unless its sender chose another "
        "end) expires.",
        "All calls to the provider are stopped. Texts wait.",
    ),
    "close": _Order(
        "Let all calls through",
        "Let all through",
        "Calls go through even if the provider fails. Each failed call uses up an attempt, and a text without "
        "attempts becomes a dead letter. A hold of the account ends.",
        "Calls to the provider go through, even if they fail.",
    ),
    "auto": _Order(
        "Let the breaker decide",
        "Automatic again",
        "The order of a person and a hold of the account end. Texts that wait go out at the usual pace, and "
        "the breaker stops calls by itself if they fail.",
        "The breaker decides automatically again.",
    ),
}


@admin.register(BreakerTransition)
class BreakerAdmin(ReadOnlyAdmin[BreakerTransition]):
    change_list_template = "admin/delivery/breakertransition/change_list.html"
    list_display = ["moment", "provider", "before", "after", "reason", "by", "ends"]
    list_display_links = None
    moment = to_the_second("at")
    ends = to_the_second("until", "ends")
    list_select_related = ["by"]

    def get_urls(self) -> list[URLPattern]:
        order = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.order))
        return [path("order/", order, name="delivery_breaker_order"), *super().get_urls()]

    @admin.display(description="account", ordering="account")
    def provider(self, moved: BreakerTransition) -> str:
        known = {account.name: account.alias for account in registry.accounts()}
        return known.get(moved.account, "an account that is not configured")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "title": "Provider accounts",
            "accounts": accounts(timezone.now()),
            "may_order": self._may_order(request),
            "may_slow": request.user.has_perm("delivery.add_slowdown"),
            "may_end_slowdown": request.user.has_perm("delivery.change_slowdown"),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def order(self, request: HttpRequest) -> HttpResponse:
        """Ask for the reason of the order ``open``, ``close`` or ``auto``, and give it.

        ``provider`` names the account; without it, the order is for the default one.
        """
        given = request.POST if request.method == "POST" else request.GET
        name, alias = given.get("order", ""), given.get("provider") or conf.default_provider()
        if not self._may_order(request):
            raise PermissionDenied
        if name not in _ORDERS or alias not in registry.aliases():
            return HttpResponse("There is no such order or account.", status=404)
        now, order = timezone.now(), _ORDERS[name]
        sent = request.POST if request.method == "POST" else None
        form = (
            orders.ReasonForm(sent) if name == "auto" else orders.OrderForm(sent, now=now)
        )  # fmt: skip
        if sent is None or not form.is_valid():
            return self._ask(request, form, name, alias, now)
        _give(registry.account(alias), name, form.cleaned_data, request, now)
        overview.kept.forget()
        self.log_change(request, _newest(), f"{order.title}. Reason: {form.cleaned_data['reason']}")
        self.message_user(request, order.done, messages.SUCCESS)
        return HttpResponseRedirect(_list())

    def _ask(
        self, request: HttpRequest, form: Any, name: str, alias: str, now: datetime
    ) -> HttpResponse:
        tenant = apps.get_model(conf.tenant_model())._meta
        order, account = _ORDERS[name], registry.account(alias)
        return orders.page(
            request,
            self,
            form,
            title=f"{order.title}: {alias}",
            meaning=order.meaning,
            concerns=orders.waiting(
                alias=alias,
                name=str(tenant.verbose_name),
                names=str(tenant.verbose_name_plural),
                now=now,
            ),
            hold=holds.current(account, now),
            button=order.button,
            is_danger=name != "auto",
            hidden={"order": name, "provider": alias},
            back=_list(),
            back_title="Provider accounts",
        )

    def _may_order(self, request: HttpRequest) -> bool:
        return request.user.has_perm("delivery.change_breakertransition")


def _give(
    account: Account, name: str, given: dict[str, Any], request: HttpRequest, now: datetime
) -> None:
    by, reason, until = acting_user(request), given["reason"], given.get("until")
    if name == "open":
        state = BreakerState.FORCED_OPEN
        breaker.force(account, state, by=by, reason=reason, until=until, now=now)
        return
    holds.end(account, by=by.get_username(), now=now)
    if name == "close":
        state = BreakerState.FORCED_CLOSED
        breaker.force(account, state, by=by, reason=reason, until=until, now=now)
    else:
        breaker.release(account, by=by, reason=reason, now=now)


def _list() -> str:
    return reverse("admin:delivery_breakertransition_changelist")


def _newest() -> BreakerTransition:
    return BreakerTransition.objects.first() or BreakerTransition()
