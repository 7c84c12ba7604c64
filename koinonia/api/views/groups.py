from __future__ import annotations

from typing import Any, cast

from django.db.models import Count, Model, QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from koinonia import group_changes
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
from koinonia.models import Group


class _Groups(ChurchView):
    serializer_class = GroupSerializer
    item_route = "api:group"
    collections = ("groups", "members")

    def get_queryset(self) -> QuerySet[Group]:
        return (
            Group.objects.filter(church=self.church)
            .select_related("church")
            .annotate(members_count=Count("members"))
        )


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

    def perform_destroy(self, instance: Model) -> None:
        cancelled = group_changes.delete(cast(Group, instance), self.user, now=timezone.now())
        if cancelled is None:
            raise Http404
        self._cancelled = cancelled


class GroupMembersView(_Groups):
    """The members of a group. List them with `members/?group=`."""

    @extend_schema(request=GroupMembersSerializer, responses=GroupSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add and remove members. Repeats change nothing."""
        group = self.get_object()
        given = self.checked(GroupMembersSerializer)
        group_changes.change_members(group, self.user, add=given["add"], remove=given["remove"])
        return Response(self.get_serializer(self.get_object()).data)
