from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from koinonia.answers import membership
from koinonia.api.serializers.answers import GroupMembersSerializer
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


class GroupMembersView(_Groups):
    """The members of a group. List them with `members/?group=`."""

    example_body = {"add": [], "remove": []}

    @extend_schema(request=GroupMembersSerializer, responses=GroupSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add and remove members. Repeats change nothing."""
        group = self.get_object()
        given = self.checked(GroupMembersSerializer)
        membership.change(group, add=given["add"], remove=given["remove"])
        return Response(self.get_serializer(self.get_object()).data)
