"""Base views below ``churches/{church}/``. Each one adds one HTTP method; views combine them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, TypeVar, cast

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer

from delivery.accept import UnacceptableError
from delivery.changes import message_changes
from httpopt.views import IfMatchMixin, SparseFieldsMixin, VersionedViewMixin
from koinonia import ids
from koinonia.api.key_scopes import InScope
from koinonia.api.permissions import IsStaffWithRole
from koinonia.models import Church, Role, Staff

_M = TypeVar("_M", bound=Model)
_API_FIELD_NAMES = {"scheduled_at": "send_at"}
"""Names of fields in ``delivery`` -> names of the same fields in the API."""


class ChurchView(SparseFieldsMixin, VersionedViewMixin, GenericAPIView[Any]):
    """A resource of one church, for its staff.

    ``collections`` names the collections of ``koinonia.answer_versions`` that the answer shows.
    """

    permission_classes = [InScope, IsStaffWithRole]
    read_role: ClassVar[Role] = Role.VIEWER
    write_role: ClassVar[Role] = Role.SENDER
    membership: Staff
    """The user's membership of the church. IsStaffWithRole sets it."""

    lookup_url_kwarg = "id"
    item_route: ClassVar[str] = ""
    """The name of the route of one item, for ``Location``."""
    query_serializer: ClassVar[type[Serializer[Any]] | None] = None
    """The parameters of the query."""
    example_body: ClassVar[dict[str, Any] | None] = None
    """The initial content of the POST form in the browsable API."""

    @property
    def church(self) -> Church:
        # drf-spectacular calls views without a request.
        return Church() if getattr(self, "swagger_fake_view", False) else self.membership.church

    @property
    def user(self) -> User:
        """Return the user. InScope has excluded anonymous users."""
        return cast(User, self.request.user)

    def needed_role(self) -> Role:
        """Return the lowest role that may make this request. ``membership`` is set already."""
        return self.read_role if self.request.method in SAFE_METHODS else self.write_role

    def get_version_tenant(self) -> int:
        return self.church.pk

    def get_rights(self) -> str:
        return "" if getattr(self, "swagger_fake_view", False) else self.membership.role

    @property
    def query_parameters(self) -> tuple[str, ...]:  # type: ignore[override] # read only here
        return _fields_of(self.query_serializer) if self.query_serializer else ()

    def query(self) -> dict[str, Any]:
        """Validate the query. Raise ValidationError with the name of each bad parameter."""
        given = {name: value for name, value in self.request.query_params.items() if value}
        if not given and _means_nothing_if_empty(self.query_serializer or Serializer):
            return {}
        query = (self.query_serializer or Serializer)(
            data=given, context=self.get_serializer_context()
        )
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)

    def get_serializer_context(self) -> dict[str, Any]:
        return {
            **super().get_serializer_context(),
            "church": self.church,
            "membership": self._membership(),
        }

    def _membership(self) -> Staff | None:
        return None if getattr(self, "swagger_fake_view", False) else self.membership

    def get_object(self) -> Any:
        """Return the item with the id in the path. Raise Http404 if this church does not have it."""
        return self.item_of(self.filter_queryset(self.get_queryset()))

    def item_of(self, rows: QuerySet[_M]) -> _M:
        key = ids.decode(self.kwargs["id"])
        item = rows.filter(pk=key).first() if key is not None else None
        if item is None:
            raise Http404
        return item

    def created(self, item: Model, data: Any, code: int = status.HTTP_201_CREATED) -> Response:
        """Return 201 or 202 with the item's data and its ``Location``."""
        return Response(data, status=code, headers={"Location": self.location(item)})

    def location(self, item: Model) -> str:
        path = reverse(self.item_route, args=[self.church.slug, ids.encode(item.pk)])
        return self.request.build_absolute_uri(path)

    def checked(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """Validate the body with another serializer than the view's own."""
        serializer = serializer_class(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class ReportView(ChurchView):
    """A view that answers with a report instead of rows: without sparse fields and version."""

    serializer_class = Serializer
    """Has no fields. The browsable API needs a Serializer, not a BaseSerializer, for its form."""
    sparse_fields = False


class ListView(ListModelMixin, ChurchView):
    """GET: a page of items."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request, *args, **kwargs)


class CreateView(ChurchView):
    """POST: 201 with ``Location`` and the item, or nothing is written."""

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            item = serializer.save()
        shown = self.get_queryset().get(pk=item.pk)
        return self.created(shown, self.get_serializer(shown).data)


class ItemView(ChurchView):
    """GET: one item."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.get_object()).data)


class EditableItem(IfMatchMixin, ChurchView):
    """An item with a column for its version (``version_field``), for ``If-Match``."""

    church_field: ClassVar[str] = "church"

    def get_item_version(self) -> QuerySet[Any, Any] | None:
        key = ids.decode(self.kwargs["id"])
        if key is None:
            return None
        owned = {self.church_field: self.church, "pk": key}
        rows = self.get_queryset().model._default_manager.filter(**owned)
        return cast("QuerySet[Any, Any]", rows.values_list(self.version_field))


class UpdateView(EditableItem):
    """PATCH: change one item, if its version still matches."""

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        item = self.get_object()
        serializer = self.get_serializer(item, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        with self.claim(item):
            self.perform_update(serializer)
            self.renew_tag(item)
        return Response(self.get_serializer(self.get_object()).data)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        serializer.save()


class DeleteView(EditableItem):
    """DELETE: remove one item, if its version still matches."""

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        item = self.get_object()
        with self.claim(item):
            self.perform_destroy(item)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def perform_destroy(self, instance: Model) -> None:
        if not instance.delete()[0]:
            raise Http404


class CancellingDeleteView(DeleteView):
    """DELETE that also cancels waiting texts, and counts them in a header of the answer."""

    cancelled_header: ClassVar[str]
    _cancelled = 0

    def cancel_waiting(self, instance: Any, now: datetime) -> int:
        """Cancel the texts that wait for ``instance``. Return their number."""
        raise NotImplementedError

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().delete(request, *args, **kwargs)
        response.headers[self.cancelled_header] = str(self._cancelled)
        return response

    def perform_destroy(self, instance: Model) -> None:
        now = timezone.now()
        with message_changes(now):
            self._cancelled = self.cancel_waiting(instance, now)
            super().perform_destroy(instance)


@cache
def _fields_of(query_serializer: type[Serializer[Any]]) -> tuple[str, ...]:
    return tuple(query_serializer().fields)


@cache
def _means_nothing_if_empty(query_serializer: type[Serializer[Any]]) -> bool:
    """Return whether an empty query has no error and no value, so that nothing needs to read it."""
    fields = query_serializer().fields.values()
    return query_serializer.validate is Serializer.validate and not any(
        field.required or field.default is not empty for field in fields
    )


@contextmanager
def unacceptable_as_error(names: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn an error of ``delivery`` into an error of the field that the client wrote.

    ``names`` maps further fields of ``delivery`` to the fields of this request.
    """
    api_names = {**_API_FIELD_NAMES, **(names or {})}
    try:
        yield
    except UnacceptableError as error:
        field = api_names.get(error.field, error.field)
        raise ValidationError({field: [error.message]}) from error
