"""Base view of the exports in CSV."""

from __future__ import annotations

from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer

from koinonia.api.views.base import ChurchView


class CsvRenderer(BaseRenderer):
    """Lets a client accept ``text/csv``; the view itself writes the CSV."""

    media_type = "text/csv"
    format = "csv"


class CsvAnswerView(ChurchView):
    """A view with an answer in CSV. Its errors are JSON."""

    renderer_classes = [CsvRenderer, JSONRenderer]
    sparse_fields = False

    def get_renderers(self) -> list[Any]:
        # OPTIONS answers with metadata, not with a table.
        return [JSONRenderer()] if self.request.method == "OPTIONS" else super().get_renderers()
