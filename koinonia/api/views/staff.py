"""The staff of a church."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework import serializers

from koinonia import ids
from koinonia.accounts import staff_changes
from koinonia.accounts.last_owner import KEEP_ONE_OWNER
from koinonia.accounts.staff_changes import LastOwnerError
from koinonia.api.serializers.churches import StaffSerializer
from koinonia.api.views.base import ChurchView, DeleteView, ListView, UpdateView
from koinonia.models import Role, Staff

_MYSELF = "me"


class _Staff(ChurchView):
    serializer_class = StaffSerializer
    read_role = write_role = Role.OWNER
    collections = ("staff", "people")

    def get_queryset(self) -> QuerySet[Staff]:
        return Staff.objects.filter(church=self.church).select_related("user")


class StaffListView(_Staff, ListView):
    """The staff of the church with their roles. For owners; users join through `invitations/`."""


class StaffView(_Staff, UpdateView, DeleteView):
    """A membership. Every user may delete the own membership. A church keeps its last owner.

    The id `me` is the own membership.
    """

    def needed_role(self) -> Role:
        leaves = self.request.method == "DELETE" and self._key() == self.membership.pk
        return Role.VIEWER if leaves else super().needed_role()

    def get_object(self) -> Any:
        item = self.get_queryset().filter(pk=self._key() or 0).first()
        if item is None:
            raise Http404
        return item

    def _key(self) -> int | None:
        given = self.kwargs["id"]
        return self.membership.pk if given == _MYSELF else ids.decode(given)

    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        membership = cast(Staff, serializer.instance)
        role = serializer.validated_data.get("role", membership.role)
        with _last_owner_as_error("role"):
            staff_changes.change_role(membership, role, self.user)

    def perform_destroy(self, instance: Model) -> None:
        with _last_owner_as_error("non_field_errors"):
            if not staff_changes.remove(cast(Staff, instance), self.user):
                raise Http404


@contextmanager
def _last_owner_as_error(field: str) -> Iterator[None]:
    try:
        yield
    except LastOwnerError:
        raise serializers.ValidationError({field: [KEEP_ONE_OWNER]}) from None
