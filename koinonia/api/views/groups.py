from __future__ import annotations

from datetime import datetime

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from koinonia.api.serializers.people import GroupSerializer
from koinonia.api.views.base import (
    CancellingDeleteView,
    ChurchView,
    CreateView,
    ItemView,
    ListView,
    UpdateView,
)
from koinonia.broadcasts.cancel import cancel_broadcasts_to
from koinonia.models import Group


class _Groups(ChurchView):
    serializer_class = GroupSerializer
    item_route = "api:group"
    collections = ("groups", "members")

    def get_queryset(self) -> QuerySet[Group]:
        return Group.objects.filter(church=self.church).annotate(members_count=Count("members"))


@extend_schema_view(post=extend_schema(responses={201: GroupSerializer}))
class GroupsView(_Groups, ListView, CreateView):
    """The groups of the congregation."""


@extend_schema_view(
    delete=extend_schema(
        description="Remove a group. Scheduled broadcasts to this group only are cancelled"
        " (`Cancelled-Broadcasts` counts them)."
    )
)
class GroupView(_Groups, ItemView, UpdateView, CancellingDeleteView):
    """A group. Its members stay when it is deleted."""

    cancelled_header = "Cancelled-Broadcasts"

    def cancel_waiting(self, instance: Group, now: datetime) -> int:
        return cancel_broadcasts_to(instance, now=now)
