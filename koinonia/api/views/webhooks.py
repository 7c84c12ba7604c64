"""Outgoing webhooks of a church. For owners."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from koinonia import ids
from koinonia.api.errors import ConflictError
from koinonia.api.pagination import NewestByTime
from koinonia.api.schema import CONFLICT
from koinonia.api.serializers.webhooks import (
    DeliveriesQuerySerializer,
    MadeWebhookSerializer,
    RedeliveredSerializer,
    RedeliverSinceSerializer,
    WebhookDeliverySerializer,
    WebhookSerializer,
)
from koinonia.api.views.base import (
    ChurchView,
    DeleteView,
    ItemView,
    ListView,
    ReportView,
    UpdateView,
)
from koinonia.models import Role, WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import endpoints


class _Webhooks(ChurchView):
    read_role = write_role = Role.OWNER
    serializer_class = WebhookSerializer
    item_route = "api:webhook"
    collections = ("webhooks",)
    # The row of the cursor is shown as a part of the webhook.
    sparse_rows = False

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        rows = WebhookEndpoint.objects.filter(church=self.church)
        return rows.select_related("cursor", "church")


@extend_schema_view(
    post=extend_schema(request=WebhookSerializer, responses={201: MadeWebhookSerializer})
)
class WebhooksView(_Webhooks, ListView):
    """Addresses that get the events of the church. At most 10."""

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a webhook, which gets the events from now on. Only this answer contains its `secret`."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            made = serializer.save()
        shown = self.get_queryset().get(pk=made.pk)
        context = self.get_serializer_context()
        return self.created(shown, MadeWebhookSerializer(shown, context=context).data)


class WebhookView(_Webhooks, ItemView, UpdateView, DeleteView):
    """A webhook. Its deliveries go with it."""

    def perform_destroy(self, instance: Model) -> None:
        if not endpoints.delete(cast(WebhookEndpoint, instance), self.user):
            raise Http404


class RotateWebhookView(_Webhooks):
    @extend_schema(request=None, responses={200: MadeWebhookSerializer})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a new secret; only this answer contains it. For 24 hours the old one signs too."""
        with _refused_as_conflict():
            endpoints.rotate(self.get_object(), self.user, timezone.now())
        context = self.get_serializer_context()
        return Response(MadeWebhookSerializer(self.get_object(), context=context).data)


class TestWebhookView(_Webhooks):
    @extend_schema(request=None, responses={202: WebhookDeliverySerializer, **CONFLICT})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send the event `webhook.test`; 409 if the webhook is off. Its delivery shows the answer."""
        with _refused_as_conflict():
            made = endpoints.test(self.get_object(), self.user, timezone.now())
        return Response(WebhookDeliverySerializer(made).data, status=status.HTTP_202_ACCEPTED)


class RedeliverWebhookView(_Webhooks):
    @extend_schema(
        request=RedeliverSinceSerializer, responses={202: RedeliveredSerializer, **CONFLICT}
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send all events since a time again, each with its old id; 409 if the webhook is off."""
        webhook = self.get_object()
        since = self.checked(RedeliverSinceSerializer)["since"]
        with _refused_as_conflict():
            number = endpoints.redeliver_since(webhook, since, self.user, timezone.now())
        return Response({"events": number}, status=status.HTTP_202_ACCEPTED)


class _Deliveries(ReportView):
    read_role = write_role = Role.OWNER
    serializer_class = WebhookDeliverySerializer

    def webhook(self) -> WebhookEndpoint:
        rows = WebhookEndpoint.objects.filter(church=self.church).select_related("church")
        return self.item_of(rows)

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        if getattr(self, "swagger_fake_view", False):
            return WebhookDelivery.objects.none()
        return WebhookDelivery.objects.filter(endpoint=self.webhook())


class WebhookDeliveriesView(ListModelMixin, _Deliveries):
    """The deliveries of a webhook. Each stays as long as the events of the log."""

    pagination_class = NewestByTime
    query_serializer = DeliveriesQuerySerializer

    @extend_schema(parameters=[DeliveriesQuerySerializer])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the deliveries, newest first, each with the last answer."""
        return self.list(request, *args, **kwargs)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**self.query())


class RedeliverView(_Deliveries):
    @extend_schema(request=None, responses={202: WebhookDeliverySerializer, **CONFLICT})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send the event again, with its old id; 409 if the log does not hold it any more."""
        key = ids.decode(self.kwargs["delivery"])
        rows = WebhookDelivery.objects.filter(endpoint=self.webhook())
        delivery = rows.select_related("endpoint__church").filter(pk=key or 0).first()
        if delivery is None:
            raise Http404
        with _refused_as_conflict():
            again = endpoints.redeliver(delivery, self.user, timezone.now())
        return Response(WebhookDeliverySerializer(again).data, status=status.HTTP_202_ACCEPTED)


@contextmanager
def _refused_as_conflict() -> Iterator[None]:
    try:
        yield
    except endpoints.WebhookRefusedError as error:
        raise ConflictError(str(error)) from None
