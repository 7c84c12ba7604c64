from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse

from koinonia import ids
from koinonia.api.serializers.acting import context_of
from koinonia.console.frame import ConsoleView
from koinonia.models import Role, WebhookEndpoint
from koinonia.webhooks import endpoints


class WebhooksView(ConsoleView):
    section = "more"
    read_role = write_role = Role.OWNER

    def path(self, name: str, *args: str) -> str:
        return reverse(f"console-{name}", args=[self.church.slug, *args])

    def webhook(self, key: str) -> WebhookEndpoint:
        """Return the webhook with this id. Raise Http404 if this church has none."""
        rows = WebhookEndpoint.objects.filter(church=self.church).select_related("cursor", "church")
        found = rows.filter(pk=ids.decode(key) or 0).first()
        if found is None:
            raise Http404
        return found

    def judge(self, kind: Any, data: dict[str, Any], item: WebhookEndpoint | None = None) -> Any:
        """Return a serializer of the API for the values of a form."""
        context = context_of(self.church, self.user)
        return kind(item, data=data, partial=item is not None, context=context)

    def refused(self, error: endpoints.WebhookRefusedError, key: str) -> HttpResponse:
        """Go back to the webhook with the reason why nothing was done."""
        self.notice(str(error), level=messages.ERROR)
        return self.go(self.path("webhook", key))
