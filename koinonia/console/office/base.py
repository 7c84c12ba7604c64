"""The pages about the church itself: settings, automatic answers, staff and the account of the user."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.urls import reverse

from koinonia.api.serializers.acting import context_of
from koinonia.console.frame import ConsoleView


class OfficeView(ConsoleView):
    section = "more"

    def path(self, name: str, *args: str) -> str:
        return reverse(f"console-{name}", args=[self.church.slug, *args])

    def judge(self, kind: Any, data: dict[str, Any], item: Model | None = None) -> Any:
        """Return a serializer of the API for the values of a form."""
        context = context_of(self.church, self.user)
        return kind(item, data=data, partial=item is not None, context=context)
