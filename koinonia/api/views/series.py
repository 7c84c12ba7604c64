"""Series: broadcasts that repeat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from koinonia import audit
from koinonia.api.errors import ConflictError
from koinonia.api.idempotency import idempotent
from koinonia.api.schema import CONFLICT
from koinonia.api.serializers.series import (
    ChangedSeriesSerializer,
    NewSeriesSerializer,
    SeriesSerializer,
)
from koinonia.api.views.base import (
    ChurchView,
    DeleteView,
    ItemView,
    ListView,
    unacceptable_as_error,
)
from koinonia.models import Series
from koinonia.series import start


class _Series(ChurchView):
    serializer_class = SeriesSerializer
    item_route = "api:series-item"
    collections = ("series", "broadcasts", "people")
    sparse_rows = False

    def get_queryset(self) -> QuerySet[Series]:
        return Series.objects.filter(church=self.church).select_related("author", "church")


class SeriesListView(_Series, ListView):
    """Broadcasts that repeat, the newest first. Ended ones are listed too."""

    throttle_policies = {"POST": ["broadcasts"]}

    @extend_schema(request=NewSeriesSerializer, responses={201: SeriesSerializer})
    @idempotent
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Repeat a broadcast weekly or monthly. Its first occurrence is scheduled at once."""
        given = self.checked(NewSeriesSerializer)
        with unacceptable_as_error(), transaction.atomic():
            series = start.start_series(
                self.church, given["text"], given["audience"], first_at=given["send_at"],
                repeat=given["repeat"], author=self.user, now=timezone.now(),
            )  # fmt: skip
            audit.record(self.church, self.user, "series.started", series)
        series = self.get_queryset().get(pk=series.pk)
        return self.created(series, self.get_serializer(series).data)


class SeriesView(_Series, ItemView, DeleteView):
    """A broadcast that repeats."""

    @extend_schema(
        request=ChangedSeriesSerializer(partial=True),
        responses={200: SeriesSerializer, **CONFLICT},
    )
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the words, the audience, the rule or the time of the next occurrences.

        `paused` stops the series or lets it continue. A series that has ended goes on with
        `"ended": false`, and is 409 without; if it cannot go on (its last day has passed, the church has
        too many), the answer is 400 and nothing changes. Send a new `repeat` in the same request then.
        """
        series = self.get_object()
        body = ChangedSeriesSerializer(
            data=request.data, partial=True, context=self.get_serializer_context()
        )
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        paused, goes_on = given.pop("paused", None), given.pop("ended", None) is False
        if "send_at" in given:
            given["first_at"] = given.pop("send_at")
        now = timezone.now()
        with unacceptable_as_error(), _locked(series), self.claim(series):
            series = start.locked(series.pk)
            if series.ended_at and not goes_on:
                raise ConflictError('This series has ended. With "ended": false it goes on.')
            if given:
                start.change_series(series, **given, now=now)
                detail = {"fields": sorted(given)}
                audit.record(self.church, self.user, "series.changed", series, detail)
            if goes_on and start.reopen(series, now):
                audit.record(self.church, self.user, "series.reopened", series)
            if paused is not None and (start.pause if paused else start.resume)(series, now):
                kind = "series.paused" if paused else "series.resumed"
                audit.record(self.church, self.user, kind, series)
            self.renew_tag(series)
        return Response(self.get_serializer(self.get_object()).data)

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End the series. Its sent broadcasts stay."""
        with _locked(self.get_object()):
            return super().delete(request, *args, **kwargs)

    def perform_destroy(self, instance: Model) -> None:
        series = start.locked(instance.pk)
        if start.end(series, timezone.now()):
            audit.record(self.church, self.user, "series.ended", series)


@contextmanager
def _locked(series: Series) -> Iterator[None]:
    """Open a transaction that locks the series with its occurrence, before ``claim`` locks the series alone."""
    with transaction.atomic():
        start.locked(series.pk)
        yield


class SkipSeriesView(_Series):
    @extend_schema(request=None, responses={200: SeriesSerializer, **CONFLICT})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Leave out the next occurrence; 409 if none is scheduled."""
        with transaction.atomic():
            series = self.get_object()
            if not start.skip_next(series, timezone.now()):
                raise ConflictError("Nothing of this series is scheduled.")
            audit.record(self.church, self.user, "series.skipped", series)
        return Response(self.get_serializer(self.get_object()).data)
