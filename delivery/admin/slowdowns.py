"""The history of slowdowns, and the pages that begin and end one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
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
from delivery.limits import slowdowns
from delivery.limits.slowdowns import SLOWEST, SlowdownRefusedError
from delivery.models import Slowdown
from delivery.providers import registry
from delivery.senders import Sender, senders_of

_MEANING = (
    "Texts go out more slowly until the time below, replies before broadcasts, and then at the usual pace by "
    "themselves. A text that waits longer than its lifetime (24 hours, unless its sender chose another end) "
    "expires. The offices that send so read on each page that texts go out more slowly, and until when."
)


class SlowForm(orders.OrderForm):
    """An order to slow a number or an account. Its end is required."""

    rate = forms.FloatField(
        label="Parts a second",
        min_value=SLOWEST,
        max_value=1_000_000,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal", "autofocus": True}),
    )
    ends = forms.ChoiceField(label="Ends", choices=[*orders.HOURS.items(), orders.AT])
    field_order = ("sender", "rate", "reason", "ends", "until")

    def __init__(self, *args: Any, senders: Sequence[Sender], now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, now=now, **kwargs)
        self.fields["reason"].widget.attrs.pop("autofocus", None)
        self.fields["sender"] = forms.ChoiceField(
            label="Sending number",
            choices=[(one.number, f"{one.number} ({one.provider})") for one in senders],
        )
        self.senders = {one.number: one for one in senders}
        if "" in self.senders:
            del self.fields["sender"]
        self.order_fields(self.field_order)
        usual = _usual(senders[0])
        if usual is not None:
            self.fields["rate"].help_text = f"The usual pace is {usual:g}. Choose less."

    @property
    def chosen(self) -> Sender | None:
        """Return the sender that is slowed; its number is empty for a whole account."""
        return self.senders.get(self.cleaned_data.get("sender", ""))

    def clean_rate(self) -> float:
        rate: float = self.cleaned_data["rate"]
        usual = _usual(self.chosen) if self.chosen else None
        if usual is not None and rate >= usual:
            raise forms.ValidationError(
                f"The usual pace is {slowdowns.in_words(usual)}: choose less. A higher pace is set at the "
                "provider and in the settings."
            )
        return rate


@admin.register(Slowdown)
class SlowdownAdmin(ReadOnlyAdmin[Slowdown]):
    change_list_template = "admin/delivery/slowdown/change_list.html"
    list_display = ["what", "speed", "reason", "by", "began", "ends", "state"]
    list_display_links = None
    began, ends = to_the_second("since", "since"), to_the_second("until", "ends")
    list_select_related = ["by"]
    ordering = ["-pk"]
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("delivery.add_slowdown")

    def get_urls(self) -> list[URLPattern]:
        end = self.admin_site.admin_view(self.end_view)
        return [path("<int:key>/end/", end, name="delivery_slowdown_end"), *super().get_urls()]

    @admin.display(description="account or number")
    def what(self, slowed: Slowdown) -> str:
        known = {account.name: account.alias for account in registry.accounts()}
        alias = known.get(slowed.account, "an account that is not configured")
        return f"{alias}, from {slowed.sender}" if slowed.sender else alias

    @admin.display(description="parts a second")
    def speed(self, slowed: Slowdown) -> str:
        return f"{slowed.rate:g}"

    @admin.display(description="state")
    def state(self, slowed: Slowdown) -> SafeString | str:
        if slowed.ended_at is not None:
            by_itself = slowed.ended_by == slowdowns.BY_TIME
            who = "by itself" if by_itself else f"by {slowed.ended_by}"
            return f"ended {who}{f': {slowed.end_reason}' if slowed.end_reason else ''}"
        if slowed.until <= timezone.now():
            return "ended by itself"
        link = reverse("admin:delivery_slowdown_end", args=[slowed.pk])
        return format_html('slowed <a href="{}">Usual pace again…</a>', link)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Slowdowns", **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask what to slow: an account (``provider``) or a number of a ``tenant``. Then slow it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        tenant, alias = tenants.by_key(given.get("tenant", "")), given.get("provider", "")
        senders = [one for one in senders_of(tenant) if _is_configured(one)] if tenant else []
        if tenant is not None and not senders:
            self.message_user(request, f"{tenant} has no sending number.", messages.WARNING)
        if not senders and alias not in registry.aliases():
            return self._choose(request)
        now, sent = timezone.now(), request.POST if request.method == "POST" else None
        form = SlowForm(sent, senders=senders or [Sender(alias, "")], now=now)
        what = str(tenant) if senders else alias
        if sent is not None and form.is_valid() and self._slow(request, form, what, now):
            return HttpResponseRedirect(_list())
        return orders.page(
            request, self, form,
            title=f"Slow down {what}",
            meaning=_MEANING,
            concerns=_waiting(alias, tenant if senders else None, now),
            button="Slow down",
            is_danger=True,
            hidden={"tenant": tenant.pk} if tenant and senders else {"provider": alias},
            back=_list(),
            back_title="Slowdowns",
        )  # fmt: skip

    def _slow(self, request: HttpRequest, form: SlowForm, what: str, now: datetime) -> bool:
        """Give the order. Return False, with the reason in the form, if it is refused."""
        given, sender = form.cleaned_data, form.chosen
        if sender is None:
            return False
        try:
            row = slowdowns.slow(
                registry.account(sender.provider), sender=sender.number, rate=given["rate"],
                by=acting_user(request), reason=given["reason"], until=given["until"], now=now,
            )  # fmt: skip
        except SlowdownRefusedError as error:
            form.add_error("rate", str(error))
            return False
        overview.kept.forget()
        self.log_addition(request, row, f"Slowed to {row.rate:g}. Reason: {row.reason}")
        said = f"{what}: at most {slowdowns.in_words(row.rate)} from now on."
        self.message_user(request, said, messages.SUCCESS)
        return True

    def end_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask for the reason to end a slowdown, and end it."""
        if not request.user.has_perm("delivery.change_slowdown"):
            raise PermissionDenied
        now = timezone.now()
        row = slowdowns.standing(now).filter(pk=key).first() if key < 2**63 else None
        if row is None:
            self.message_user(request, "This slowdown has ended already.", messages.WARNING)
            return HttpResponseRedirect(_list())
        form = orders.ReasonForm(request.POST if request.method == "POST" else None)
        if request.method != "POST" or not form.is_valid():
            return orders.page(
                request, self, form,
                title=f"Usual pace again: {self.what(row)}",
                meaning="Texts go out at the usual pace again, within a second or two.",
                concerns=f"At most {slowdowns.in_words(row.rate)} go out now. Reason: {row.reason}",
                button="Usual pace again",
                is_danger=False,
                back=_list(),
                back_title="Slowdowns",
            )  # fmt: skip
        reason = form.cleaned_data["reason"]
        slowdowns.end(row.pk, by=acting_user(request), reason=reason, now=now)
        overview.kept.forget()
        self.log_change(request, row, f"Usual pace again. Reason: {reason}")
        self.message_user(request, "Texts go out at the usual pace again.", messages.SUCCESS)
        return HttpResponseRedirect(_list())

    def _choose(self, request: HttpRequest) -> HttpResponse:
        return tenants.choose(
            request, self, title="Slow down an account or a number", back=_list(),
            back_title="Slowdowns", accounts=registry.accounts(),
        )  # fmt: skip


def _is_configured(sender: Sender) -> bool:
    return sender.provider in registry.aliases()


def _usual(sender: Sender) -> float | None:
    return slowdowns.pace(registry.account(sender.provider), sender.number)


def _waiting(alias: str, tenant: Any | None, now: datetime) -> str:
    name, names = tenants.name(), tenants.names()
    if tenant is not None:
        return orders.waiting(tenant_id=tenant.pk, name=name, names=names, now=now)
    return orders.waiting(alias=alias, name=name, names=names, now=now)


def _list() -> str:
    return reverse("admin:delivery_slowdown_changelist")
