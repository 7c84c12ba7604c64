from __future__ import annotations

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView

from httpopt.versions.counters import Scope
from httpopt.views import SparseFieldsMixin, VersionedViewMixin
from koinonia.api.key_scopes import InScope, church_of_key, churches_of
from koinonia.api.serializers.churches import ChurchSerializer
from koinonia.api.views.base import ItemView, UpdateView
from koinonia.models import Church, Group, Member, Role


class ChurchesView(SparseFieldsMixin, VersionedViewMixin, ListAPIView[Church]):
    """The churches that have the user on their staff."""

    collections = ("church", "members", "groups")
    query_parameters = ()
    permission_classes = [InScope]
    serializer_class = ChurchSerializer

    def get_queryset(self) -> QuerySet[Church]:
        return counted(churches_of(self.request))

    def get_rights(self) -> str:
        return str(church_of_key(self.request) or "")

    def get_version_scope(self) -> Scope:
        mine: QuerySet[Any, Any] = churches_of(self.request).values("pk")
        return dict.fromkeys(self.collections, mine)


@extend_schema(tags=["churches"])
class ChurchDetailView(ItemView, UpdateView):
    """A church."""

    name = "Church"
    serializer_class = ChurchSerializer
    write_role = Role.OWNER
    collections = ("church", "members", "groups")

    def get_item_version(self) -> QuerySet[Any, Any]:
        return Church.objects.filter(pk=self.church.pk).values_list("version")

    def get_queryset(self) -> QuerySet[Church]:
        return counted(Church.objects.filter(pk=self.church.pk))

    def get_object(self) -> Church:
        return self.get_queryset().get()


def counted(churches: QuerySet[Church]) -> QuerySet[Church]:
    """Add ``members_count`` and ``groups_count``. Two joins would multiply the counts."""
    return churches.annotate(members_count=_number(Member), groups_count=_number(Group))


def _number(model: type[Member] | type[Group]) -> Coalesce:
    rows = model._default_manager.filter(church=OuterRef("pk")).order_by().values("church")
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)
