"""The page that asks a person to confirm an order to sending: to stop, to start, to slow down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from delivery.admin import tenants
from delivery.models import Message
from delivery.queue.heads import heads
from delivery.statuses import Status

HOURS = {"1": "In 1 hour", "4": "In 4 hours", "24": "In 24 hours"}
AT = ("at", "At the time below")
_LONGEST = timedelta(days=30)
_MOST = 10_000
"""Waiting texts are counted up to here."""


class ReasonForm(forms.Form):
    """The reason of an order."""

    reason = forms.CharField(
        label="Reason",
        max_length=200,
        error_messages={"required": "Give a reason: the history shows it with your name."},
        widget=forms.TextInput(attrs={"class": "vTextField", "autofocus": True}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whose = tenants.names().capitalize()
        self.fields[
            "reason"
        ].help_text = f"The history shows it with your name. {whose} do not see it."


class OrderForm(ReasonForm):
    """The reason of an order, and its end."""

    ends = forms.ChoiceField(
        label="Ends",
        required=False,
        choices=[("", "When a person ends it"), *HOURS.items(), AT],
    )
    until = forms.DateTimeField(
        label="Ends at",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        zone = timezone.get_current_timezone_name()
        self.fields["until"].help_text = f"Only with “At the time below”. The time is {zone}."

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        ends, until = cleaned.get("ends"), cleaned.get("until")
        if ends in HOURS:
            until = self.now + timedelta(hours=int(ends))
        elif ends != "at":
            until = None
        elif until is None:
            self.add_error("until", "Fill in the time at which the order ends.")
        elif not self.now < until <= self.now + _LONGEST:
            self.add_error("until", "The time must be in the next 30 days.")
        return {**cleaned, "until": until}


def waiting(
    *, alias: str | None = None, tenant_id: Any = None, name: str, names: str, now: datetime
) -> str:
    """Return a sentence about the texts that an order concerns. ``names``: plural of the host's tenants."""
    due = Message.objects.waiting().exclude(status=Status.SCHEDULED)
    if alias is not None:
        due = due.filter(provider=alias)
    if tenant_id is not None:
        due = due.filter(tenant=tenant_id)
    count = due.order_by()[: _MOST + 1].count()
    number = f"{count:,}" if count <= _MOST else f"More than {_MOST:,}"
    texts = f"{number} {'text' if count == 1 else 'texts'}"
    if tenant_id is not None:
        return f"{texts} {'waits' if count == 1 else 'wait'} now."
    tenants = {head.tenant_id for head in heads() if head.provider == alias and head.is_due(now)}
    of = f"{len(tenants):,} {name if len(tenants) == 1 else names}"
    return f"{texts} of {of} {'waits' if count == 1 else 'wait'} now."


def page(request: HttpRequest, admin: Any, form: forms.Form, **context: Any) -> HttpResponse:
    """Return the page that asks for the order; 422 with the errors of a form that was sent."""
    shown = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "media": admin.media,
        "form": form,
        **context,
    }
    status = 422 if form.is_bound else 200
    return TemplateResponse(request, "admin/delivery/order.html", shown, status=status)
