from __future__ import annotations

from typing import Any, ClassVar, cast

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from delivery.cancel import cancel_message
from delivery.changes import message_changes
from delivery.models import Attempt, Direction, Message
from delivery.statuses import Status
from koinonia import audit
from koinonia.api.errors import ConflictError
from koinonia.api.idempotency import idempotent
from koinonia.api.pagination import NewestByTime, NewestFirst
from koinonia.api.schema import CONFLICT
from koinonia.api.serializers.changes import ChangedMessageSerializer
from koinonia.api.serializers.fields import ChoiceField, ChurchItemField
from koinonia.api.serializers.messages import (
    AttemptSerializer,
    MessageSerializer,
    NewMessageSerializer,
)
from koinonia.api.serializers.times import InstantField
from koinonia.api.views.base import (
    ChurchView,
    EditableItem,
    ItemView,
    ListView,
    unacceptable_as_error,
)
from koinonia.api.views.sending import SendingView, shown
from koinonia.inbox.changes import (
    keep_texting,
)
from koinonia.texts.change import (
    change_text,
)


class MessageQuerySerializer(serializers.Serializer[Any]):
    status = ChoiceField(Status.choices, required=False)
    direction = ChoiceField(Direction.choices, required=False)
    member = ChurchItemField("members", required=False)
    broadcast = ChurchItemField("broadcasts", required=False)
    asks_to_stop = serializers.BooleanField(
        required=False,
        help_text="1: received texts that look like an opt-out request without a STOP word. They do not opt "
        "the sender out: PATCH the member with `opted_out` if the text means that.",
    )
    since = InstantField(in_query=True, required=False, help_text="Made at this time or later.")
    until = InstantField(in_query=True, required=False, help_text="Made before this time.")


_LOOKUPS = {
    "status": "status",
    "direction": "direction",
    "member": "recipient",
    "broadcast": "batch",
    "asks_to_stop": "asks_to_stop",
    "since": "created_at__gte",
    "until": "created_at__lt",
}


_ORDERED_BY_ID = {"recipient", "batch"}
"""Lookups with an index of their own, in the order of ids."""


class Messages(ChurchView):
    serializer_class: type[serializers.BaseSerializer[Any]] = MessageSerializer
    item_route = "api:message"
    collections: ClassVar[tuple[str, ...]] = ("messages", "members", "people")

    def get_queryset(self) -> QuerySet[Message]:
        return shown(Message.objects.filter(tenant=self.church))


class MessagesView(Messages, SendingView, ListView):
    """The texts of the church, sent and received."""

    pagination_class = NewestByTime
    query_serializer = MessageQuerySerializer
    throttle_policies = {"POST": ["messages"]}

    def filter_queryset(self, queryset: Any) -> Any:
        query = {_LOOKUPS[name]: value for name, value in self.query().items()}
        if broadcast := query.get("batch"):
            query["batch"] = broadcast.pk
        if query.get("asks_to_stop"):
            queryset = queryset.asking_to_stop()
        if not query.keys().isdisjoint(_ORDERED_BY_ID):
            cast(NewestFirst, self.paginator).ordering = NewestFirst.ordering
        return super().filter_queryset(queryset.filter(**query))

    @extend_schema(parameters=[MessageQuerySerializer])
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    @extend_schema(request=NewMessageSerializer, responses={202: MessageSerializer})
    @idempotent
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send one text to a number, a member or a conversation."""
        given = self.checked(NewMessageSerializer)
        return self.send(self.phone_of(given), given)


class MessageView(Messages, ItemView, EditableItem):
    """A text."""

    version_field = "edits"
    church_field = "tenant"

    @extend_schema(request=ChangedMessageSerializer, responses={200: MessageSerializer, **CONFLICT})
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the words or the time of a scheduled text; 409 if it is too late.

        A field that is not named stays. `send_at` null: now. A text of a broadcast has no time and
        words of its own: change the broadcast.
        """
        message = self.get_object()
        given = self.checked(ChangedMessageSerializer)
        now = timezone.now()
        with unacceptable_as_error(), message_changes(now), self.claim(message):
            if not change_text(self.church, message, **given, now=now):
                raise ConflictError("It is too late: this text is no longer scheduled.")
            kind = "message.moved" if "send_at" in given else "message.edited"
            audit.record(self.church, self.user, kind, message, {"fields": sorted(given)})
            self.renew_tag(message)
        return Response(self.get_serializer(self.get_object()).data)


class AttemptsView(Messages):
    """The calls to the API of the provider for one text, with their outcomes."""

    serializer_class = AttemptSerializer
    collections = ("messages", "attempts")
    pagination_class = None

    @extend_schema(responses=AttemptSerializer(many=True))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        attempts = Attempt.objects.filter(message=self.get_object())
        return Response(self.get_serializer(attempts, many=True).data)


class NotAStopView(Messages):
    @extend_schema(request=None, responses=MessageSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take the mark `asks_to_stop` from a received text: a person has read it, and it asks for nothing."""
        message = self.get_object()
        keep_texting(self.church, message, by=self.user, now=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)


class CancelMessageView(Messages):
    @extend_schema(request=None, responses={200: MessageSerializer, **CONFLICT})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Cancel a text that has not been sent; 409 if it is too late."""
        message = self.get_object()
        if message.status != Status.CANCELLED:
            with transaction.atomic():
                if not cancel_message(message, now=timezone.now()):
                    raise ConflictError("It is too late: this text is no longer waiting.")
                audit.record(self.church, self.user, "message.cancelled", message)
        return Response(self.get_serializer(self.get_object()).data)
