from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar, TypeVar, cast

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from django.urls import reverse
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer

from delivery.accept import UnacceptableError
from httpopt.views import IfMatchMixin, SparseFieldsMixin, VersionedViewMixin
from koinonia import ids
from koinonia.api.permissions import IsStaffWithRole
from koinonia.models import Church, Role, Staff

_M = TypeVar("_M", bound=Model)
_OUR_NAMES = {"scheduled_at": "send_at"}


class ChurchView(SparseFieldsMixin, VersionedViewMixin, GenericAPIView[Any]):
    """Anything below ``churches/{church}/``: of one church, for its staff.

    ``collections`` names those of ``koinonia.answer_versions`` that the answer shows.
    """

    permission_classes = [IsAuthenticated, IsStaffWithRole]
    read_role: ClassVar[Role] = Role.VIEWER
    write_role: ClassVar[Role] = Role.SENDER
    place: Staff
    """The user's place in the church: set by the permission."""

    lookup_url_kwarg = "id"
    item_route: ClassVar[str] = ""
    """Name of the route of one item: for ``Location``."""
    query_serializer: ClassVar[type[Serializer[Any]] | None] = None
    """What the list's query may hold."""
    example_body: ClassVar[dict[str, Any] | None] = None
    """What the form of a POST holds in the browsable API."""

    @property
    def church(self) -> Church:
        # The schema is made without a request.
        return Church() if getattr(self, "swagger_fake_view", False) else self.place.church

    @property
    def user(self) -> User:
        """Who asks; the permissions let nobody in who is anonymous."""
        return cast(User, self.request.user)

    def needed_role(self) -> Role:
        """Return the lowest role that may do what is asked; ``place`` is known by now."""
        return self.read_role if self.request.method in SAFE_METHODS else self.write_role

    def get_version_tenant(self) -> int:
        return self.church.pk

    def get_rights(self) -> str:
        return "" if getattr(self, "swagger_fake_view", False) else self.place.role

    @property
    def query_parameters(self) -> tuple[str, ...]:  # type: ignore[override] # read only here
        return _names_in(self.query_serializer) if self.query_serializer else ()

    def query(self) -> dict[str, Any]:
        """The query, checked; 400 names what is wrong in it."""
        given = {name: value for name, value in self.request.query_params.items() if value}
        query = (self.query_serializer or Serializer)(
            data=given, context=self.get_serializer_context()
        )
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "church": self.church}

    def get_object(self) -> Any:
        """The item of this church whose id is in the path; 404 for any other."""
        return self.item_of(self.filter_queryset(self.get_queryset()))

    def item_of(self, rows: QuerySet[_M]) -> _M:
        key = ids.decode(self.kwargs["id"])
        item = rows.filter(pk=key).first() if key is not None else None
        if item is None:
            raise Http404
        return item

    def created(self, item: Model, data: Any, code: int = status.HTTP_201_CREATED) -> Response:
        """201 (or 202), with the item and where it is."""
        return Response(data, status=code, headers={"Location": self.location(item)})

    def location(self, item: Model) -> str:
        path = reverse(self.item_route, args=[self.church.slug, ids.encode(item.pk)])
        return self.request.build_absolute_uri(path)

    def checked(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """The body, checked by another serializer than the one that shows the item."""
        serializer = serializer_class(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class ReportView(ChurchView):
    """GET of what is no row: no sparse fields, no version of its own."""

    serializer_class = Serializer
    """Without fields: the browsable API makes a form of it, and cannot of a BaseSerializer."""
    sparse_fields = False


class ListCreateView(ListModelMixin, ChurchView):
    """GET: a page. POST: 201, ``Location`` and the item, all or nothing."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request, *args, **kwargs)

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            item = serializer.save()
        shown = self.get_queryset().get(pk=item.pk)
        return self.created(shown, self.get_serializer(shown).data)


class ItemView(IfMatchMixin, ChurchView):
    """GET, PATCH and DELETE of one item; what has a version is changed in the state one has seen."""

    has_version: ClassVar[bool] = False

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        item = self.get_object()
        serializer = self.get_serializer(item, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        with self.claim(item):
            self.perform_update(serializer)
            self.renew_tag(item)
        return Response(self.get_serializer(self.get_object()).data)

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        item = self.get_object()
        with self.claim(item):
            self.perform_destroy(item)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_item_version(self) -> QuerySet[Any, Any] | None:
        key = ids.decode(self.kwargs["id"]) if self.has_version else None
        if key is None:
            return None
        rows = self.get_queryset().model._default_manager.filter(church=self.church, pk=key)
        return cast("QuerySet[Any, Any]", rows.values_list("version"))

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        serializer.save()

    def perform_destroy(self, instance: Model) -> None:
        if not instance.delete()[0]:
            raise Http404


@cache
def _names_in(query_serializer: type[Serializer[Any]]) -> tuple[str, ...]:
    return tuple(query_serializer().fields)


@contextmanager
def unacceptable_as_error(names: Mapping[str, str] | None = None) -> Iterator[None]:
    """Raise what ``delivery`` cannot take as bad input of the field that the client wrote.

    ``names`` are other names of this request's fields, by those of ``delivery``.
    """
    called = {**_OUR_NAMES, **(names or {})}
    try:
        yield
    except UnacceptableError as error:
        raise ValidationError({called.get(error.field, error.field): [error.message]}) from error
