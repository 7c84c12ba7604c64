from __future__ import annotations

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from koinonia import audit
from koinonia.api.serializers.answers import KeywordSerializer
from koinonia.api.views.base import (
    ChurchView,
    CreateView,
    DeleteView,
    ItemView,
    ListView,
    UpdateView,
)
from koinonia.models import Keyword


class _Keywords(ChurchView):
    serializer_class = KeywordSerializer
    item_route = "api:keyword"
    collections = ("keywords", "groups")
    # The group is shown by its name and written by its id.
    sparse_rows = False

    def get_queryset(self) -> QuerySet[Keyword]:
        return Keyword.objects.filter(church=self.church).select_related("group")


@extend_schema_view(post=extend_schema(responses={201: KeywordSerializer}))
class KeywordsView(_Keywords, ListView, CreateView):
    """Words that join a group when a person texts them to the number of the church. At most 100."""


class KeywordView(_Keywords, ItemView, UpdateView, DeleteView):
    """A keyword. Members who joined by it stay in the group when it is deleted."""

    def perform_destroy(self, instance: Model) -> None:
        audit.record(self.church, self.user, "keyword.deleted", instance)
        super().perform_destroy(instance)
