from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema

from koinonia.api.serializers.settings import SettingsSerializer
from koinonia.api.views.base import ItemView, UpdateView
from koinonia.models import Church, Role


@extend_schema(tags=["settings"])
class SettingsView(ItemView, UpdateView):
    """The settings of the church: its zone, automatic answers, price and caps. Owners change them."""

    serializer_class = SettingsSerializer
    write_role = Role.OWNER
    collections = ("church", "caps")

    def get_item_version(self) -> QuerySet[Any, Any]:
        return Church.objects.filter(pk=self.church.pk).values_list("version")

    def get_queryset(self) -> QuerySet[Church]:
        return Church.objects.filter(pk=self.church.pk)

    def get_object(self) -> Church:
        return self.get_queryset().get()
