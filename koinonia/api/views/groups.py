from __future__ import annotations

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from koinonia.api.serializers.people import GroupSerializer
from koinonia.api.views.base import ChurchView, ItemView, ListCreateView
from koinonia.models import Group


class _Groups(ChurchView):
    serializer_class = GroupSerializer
    item_route = "api:group"
    collections = ("groups", "members")

    def get_queryset(self) -> QuerySet[Group]:
        return Group.objects.filter(church=self.church).annotate(members_count=Count("members"))


@extend_schema_view(post=extend_schema(responses={201: GroupSerializer}))
class GroupsView(_Groups, ListCreateView):
    """The named parts of the congregation."""


class GroupView(_Groups, ItemView):
    """One group. Deleting it leaves its members."""

    has_version = True
    http_method_names = ["get", "patch", "delete", "head", "options"]
