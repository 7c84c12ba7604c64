from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from delivery.changes import message_changes
from koinonia import audit
from koinonia.api.errors import ConflictError
from koinonia.api.idempotency import idempotent
from koinonia.api.schema import CONFLICT
from koinonia.api.serializers.broadcasts import (
    BroadcastSerializer,
    NewBroadcastSerializer,
    SentBroadcastSerializer,
)
from koinonia.api.serializers.changes import ChangedBroadcastSerializer
from koinonia.api.serializers.preview import PreviewRequestSerializer, PreviewSerializer
from koinonia.api.views.base import (
    ChurchView,
    EditableItem,
    ItemView,
    ListView,
    unacceptable_as_error,
)
from koinonia.broadcasts.cancel import cancel_broadcast
from koinonia.broadcasts.change import change_broadcast
from koinonia.broadcasts.preview import preview
from koinonia.broadcasts.progress import with_counts
from koinonia.broadcasts.send import send_broadcast
from koinonia.models import Broadcast


class _Broadcasts(ChurchView):
    serializer_class = BroadcastSerializer
    item_route = "api:broadcast"
    # The counts of a broadcast depend on its messages.
    collections = ("broadcasts", "messages", "people")
    sparse_rows = False

    def get_queryset(self) -> QuerySet[Broadcast]:
        return Broadcast.objects.filter(church=self.church).select_related("author")

    def get_object(self) -> Broadcast:
        broadcast: Broadcast = super().get_object()
        return with_counts([broadcast])[0]


class BroadcastsView(_Broadcasts, ListView):
    """Texts to many members."""

    throttle_policies = {"POST": ["broadcasts"]}

    def paginate_queryset(self, queryset: Any) -> Any:
        return with_counts(super().paginate_queryset(queryset) or [])

    @extend_schema(request=NewBroadcastSerializer, responses={202: SentBroadcastSerializer})
    @idempotent
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send a text to all members, or to groups and single members."""
        given = self.checked(NewBroadcastSerializer)
        with unacceptable_as_error():
            broadcast = send_broadcast(
                self.church, given["text"], given["audience"], author=self.user,
                media_urls=given["media_urls"], scheduled_at=given["send_at"],
                expires_at=given["expires_at"], now=timezone.now(),
            )  # fmt: skip
        context = self.get_serializer_context()
        data = SentBroadcastSerializer(broadcast, context=context).data
        return self.created(broadcast, data, status.HTTP_202_ACCEPTED)


class PreviewBroadcastView(ChurchView):
    """The outcome of a broadcast before it is sent."""

    serializer_class = PreviewRequestSerializer

    def get_queryset(self) -> QuerySet[Broadcast]:
        """Return no rows: nothing is stored."""
        return Broadcast.objects.none()

    @extend_schema(request=PreviewRequestSerializer, responses=PreviewSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Count people, parts, cost and time; name the dearest text and the members left out.

        Nothing is stored or sent, and it is not charged to `broadcasts`.
        """
        given = self.checked(PreviewRequestSerializer)
        with unacceptable_as_error():
            found = preview(
                self.church, given["text"], given["audience"], media_urls=given["media_urls"],
                begins_at=given["send_at"] or timezone.now(),
            )  # fmt: skip
        return Response(PreviewSerializer(found).data)


class BroadcastView(_Broadcasts, ItemView, EditableItem):
    """A broadcast."""

    version_field = "edits"

    @extend_schema(
        request=ChangedBroadcastSerializer, responses={200: SentBroadcastSerializer, **CONFLICT}
    )
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the text, the audience or the time of a scheduled broadcast; 409 if it is too late.

        A field that is not named stays. `send_at` null: now.
        """
        broadcast = self.get_object()
        given = self.checked(ChangedBroadcastSerializer)
        now = timezone.now()
        with unacceptable_as_error(), message_changes(now), self.claim(broadcast):
            if not change_broadcast(broadcast, **given, now=now):
                raise ConflictError("It is too late: this broadcast is no longer scheduled.")
            kind = "broadcast.moved" if "send_at" in given else "broadcast.edited"
            audit.record(self.church, self.user, kind, broadcast, {"fields": sorted(given)})
            self.renew_tag(broadcast)
        left_out, broadcast = broadcast.left_out, self.get_object()
        broadcast.left_out = left_out
        context = self.get_serializer_context()
        return Response(SentBroadcastSerializer(broadcast, context=context).data)


class CancelBroadcastView(_Broadcasts):
    @extend_schema(request=None, responses={200: BroadcastSerializer, **CONFLICT})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Cancel the texts that have not been sent; 409 if all of them have been sent."""
        broadcast = self.get_object()
        if not broadcast.cancelled_at:
            # In slices, each a transaction of its own: workers go on sending in between.
            called_back = cancel_broadcast(broadcast, now=timezone.now())
            if not called_back:
                raise ConflictError("It is too late: no text of this broadcast is waiting.")
            detail = {"called_back": called_back}
            audit.record(self.church, self.user, "broadcast.cancelled", broadcast, detail)
        return Response(self.get_serializer(self.get_object()).data)
