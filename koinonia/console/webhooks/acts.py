"""Acts on a webhook: test, switch, rotate the secret, delete, send events again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from koinonia import audit, ids
from koinonia.console.webhooks.base import WebhooksView
from koinonia.console.webhooks.forms import AgainForm
from koinonia.models import WebhookDelivery
from koinonia.numbers import grouped
from koinonia.webhooks import endpoints
from koinonia.webhooks.endpoints import WebhookRefusedError


class TestPage(WebhooksView):
    def post(self, request: Any, key: str) -> HttpResponse:
        try:
            endpoints.test(self.webhook(key), self.user, timezone.now())
        except WebhookRefusedError as error:
            return self.refused(error, key)
        self.notice(_("A test is on its way. Its answer appears below."))
        return self.go(self.path("webhook", key))


class SwitchPage(WebhooksView):
    def post(self, request: Any, key: str) -> HttpResponse:
        webhook, on = self.webhook(key), request.POST.get("on") == "1"
        try:
            with transaction.atomic():
                endpoints.switch(webhook, on=on, now=timezone.now())
                audit.record(
                    self.church, self.user, "webhook.changed", webhook, {"fields": ["enabled"]}
                )
        except WebhookRefusedError:
            raise Http404 from None
        told = (
            _("It is on, and continues where it stopped.")
            if on
            else _("It is off. Its events wait.")
        )
        self.notice(told)
        return self.go(self.path("webhook", key))


class RotatePage(WebhooksView):
    """Asks before it makes a new secret, and shows it once."""

    def get(self, request: Any, key: str) -> HttpResponse:
        webhook, now = self.webhook(key), timezone.now()
        is_rotating = len(webhook.secrets(now)) > 1
        context = {
            "webhook": webhook,
            "old_secret_until": webhook.old_secret_until if is_rotating else None,
        }
        return self.page("koinonia/console/webhooks/rotate.html", context)

    def post(self, request: Any, key: str) -> HttpResponse:
        try:
            webhook = endpoints.rotate(self.webhook(key), self.user, timezone.now())
        except WebhookRefusedError as error:
            return self.refused(error, key)
        # Do not redirect: only this page shows the secret.
        context = {"webhook": webhook, "secret": webhook.secret, "is_rotated": True}
        return self.page("koinonia/console/webhooks/secret.html", context)


class DeletePage(WebhooksView):
    """Asks before it deletes."""

    def get(self, request: Any, key: str) -> HttpResponse:
        context = {"webhook": self.webhook(key)}
        return self.page("koinonia/console/webhooks/delete.html", context)

    def post(self, request: Any, key: str) -> HttpResponse:
        webhook = self.webhook(key)
        if not endpoints.delete(webhook, self.user):
            raise Http404
        self.notice(_("%(name)s is deleted.") % {"name": webhook.name})
        return self.go(self.path("webhooks"))


class AgainPage(WebhooksView):
    """Sends all events since a time again."""

    def post(self, request: Any, key: str) -> HttpResponse:
        form = AgainForm(request.POST)
        if not form.is_valid():
            raise Http404("This is not one of the times.")
        now = timezone.now()
        since = now - timedelta(hours=form.cleaned_data["hours"])
        try:
            number = endpoints.redeliver_since(self.webhook(key), since, self.user, now)
        except WebhookRefusedError as error:
            return self.refused(error, key)
        told = ngettext(
            "%(count)s event of the log is looked at again; it is sent if its type was chosen.",
            "%(count)s events of the log are looked at again; those of the chosen types are sent.",
            number,
        )
        self.notice(told % {"count": grouped(number)})
        return self.go(self.path("webhook", key))


class RedeliverPage(WebhooksView):
    def post(self, request: Any, key: str, delivery: str) -> HttpResponse:
        rows = WebhookDelivery.objects.filter(endpoint=self.webhook(key))
        found = rows.select_related("endpoint__church").filter(pk=ids.decode(delivery) or 0).first()
        if found is None:
            raise Http404
        try:
            endpoints.redeliver(found, self.user, timezone.now())
        except WebhookRefusedError as error:
            return self.refused(error, key)
        self.notice(_("The event is sent again. Its answer appears below."))
        return self.go(self.path("webhook", key))
