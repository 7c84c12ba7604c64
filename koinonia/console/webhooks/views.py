from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from koinonia.api.pagination import NewestByTime
from koinonia.api.serializers.webhooks import WebhookSerializer
from koinonia.console import saving
from koinonia.console.paging import paged
from koinonia.console.webhooks import words
from koinonia.console.webhooks.base import WebhooksView
from koinonia.console.webhooks.forms import AgainForm, WebhookForm
from koinonia.models import WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import log
from koinonia.webhooks.endpoints import MOST_ENDPOINTS

_STATES = WebhookDelivery.State


class WebhooksPage(WebhooksView):
    def get(self, request: Any) -> HttpResponse:
        rows = WebhookEndpoint.objects.filter(church=self.church).select_related("cursor")
        found = list(rows.order_by("name", "pk")[:MOST_ENDPOINTS])
        context = {
            "webhooks": [(one, urlsplit(one.url).hostname, words.off(one)) for one in found],
            "is_full": len(found) >= MOST_ENDPOINTS,
            "most": MOST_ENDPOINTS,
        }
        return self.page("koinonia/console/webhooks/list.html", context)


class NewWebhookPage(WebhooksView):
    def get(self, request: Any) -> HttpResponse:
        return self._shown(WebhookForm(initial={"types": ["message.received", "message.status"]}))

    def post(self, request: Any) -> HttpResponse:
        form = WebhookForm(request.POST)
        if form.is_valid():
            made = saving.save(form, self.judge(WebhookSerializer, form.values()))
            if made:
                # Do not redirect: only this page shows the secret.
                self.notice(_("The webhook gets the events from now on."), accepted="webhook-new")
                context = {"webhook": made, "secret": made.secret}
                return self.page("koinonia/console/webhooks/secret.html", context)
        return self._shown(form, 422)

    def _shown(self, form: WebhookForm, status: int = 200) -> HttpResponse:
        return self.page("koinonia/console/webhooks/edit.html", {"form": form}, status)


class EditWebhookPage(WebhooksView):
    def get(self, request: Any, key: str) -> HttpResponse:
        webhook = self.webhook(key)
        return self._shown(WebhookForm(initial=_values(webhook)), webhook)

    def post(self, request: Any, key: str) -> HttpResponse:
        webhook = self.webhook(key)
        form = WebhookForm(request.POST)
        if form.is_valid():
            saved = saving.save(
                form, self.judge(WebhookSerializer, form.values(), webhook),
                seen=request.POST.get("version", ""), present=lambda: _values(self.webhook(key)),
            )  # fmt: skip
            if saved:
                self.notice(_("Saved."), accepted=f"webhook-{key}")
                return self.go(self.path("webhook", key))
        return self._shown(form, self.webhook(key), 422)

    def _shown(
        self, form: WebhookForm, webhook: WebhookEndpoint, status: int = 200
    ) -> HttpResponse:
        context = {"form": form, "webhook": webhook}
        return self.page("koinonia/console/webhooks/edit.html", context, status)


class WebhookPage(WebhooksView):
    """A webhook with its deliveries, newest first."""

    def get(self, request: Any, key: str) -> HttpResponse:
        webhook = self.webhook(key)
        rows = WebhookDelivery.objects.filter(endpoint=webhook)
        state = request.GET.get("state", "")
        if state in _STATES.values:
            rows = rows.filter(state=state)
        page = paged(request, rows, NewestByTime, keep=("state",))
        context = {
            "webhook": webhook,
            "off": words.off(webhook),
            "types": [words.TYPES.get(one, one) for one in webhook.types],
            "page": page,
            "lines": [words.line(row, is_off=not webhook.enabled) for row in page.rows],
            "is_pending": webhook.enabled and any(map(_is_pending, page.rows)),
            "deleted": log.deleted_after(webhook.cursor, self.church.slug),
            "states": [(value, label) for value, (label, _tone) in words.STATES.items()],
            "state": state,
            "again": AgainForm(),
        }
        return self.page("koinonia/console/webhooks/webhook.html", context)


def _is_pending(delivery: WebhookDelivery) -> bool:
    """Return whether the answer is a matter of seconds: it is due, by its first attempt or an order."""
    due = delivery.next_at is not None and delivery.next_at <= timezone.now()
    return delivery.state == _STATES.WAITING and due


def _values(webhook: WebhookEndpoint) -> dict[str, Any]:
    return {"name": webhook.name, "url": webhook.url, "types": webhook.types}
