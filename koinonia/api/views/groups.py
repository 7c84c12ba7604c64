from __future__ import annotations

from typing import Any, cast

from django.db.models import Count, Model, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from delivery.changes import message_changes
from koinonia.api.serializers.people import GroupSerializer
from koinonia.api.views.base import (
    ChurchView,
    CreateView,
    DeleteView,
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


class GroupView(_Groups, ItemView, UpdateView, DeleteView):
    """A group. Its members stay when it is deleted."""

    _cancelled = 0

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Remove a group. Scheduled broadcasts to this group only are cancelled (`Cancelled-Broadcasts`)."""
        response = super().delete(request, *args, **kwargs)
        response.headers["Cancelled-Broadcasts"] = str(self._cancelled)
        return response

    def perform_destroy(self, instance: Model) -> None:
        now = timezone.now()
        with message_changes(now):
            self._cancelled = cancel_broadcasts_to(cast(Group, instance), now=now)
            super().perform_destroy(instance)
