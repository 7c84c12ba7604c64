from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from delivery.cancel import cancel_message
from delivery.models import Attempt, Direction, Message
from delivery.statuses import Status
from koinonia.api.errors import ConflictError
from koinonia.api.idempotency import idempotent
from koinonia.api.serializers.fields import ChurchItemField
from koinonia.api.serializers.messages import (
    AttemptSerializer,
    MessageSerializer,
    NewMessageSerializer,
)
from koinonia.api.serializers.times import InstantField
from koinonia.api.views.base import ChurchView, ItemView, ListCreateView
from koinonia.api.views.sending import SendingView, shown


class MessageQuerySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(Status.choices, required=False)
    direction = serializers.ChoiceField(Direction.choices, required=False)
    member = ChurchItemField("members", required=False)
    broadcast = ChurchItemField("broadcasts", required=False)
    asks_to_stop = serializers.BooleanField(
        required=False,
        help_text="1: received texts that look like a request to be texted no more, without a STOP "
        "word. They opted nobody out: PATCH the member with `opted_out` if that is what they mean.",
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


class Messages(ChurchView):
    serializer_class: type[serializers.BaseSerializer[Any]] = MessageSerializer
    item_route = "api:message"
    collections: ClassVar[tuple[str, ...]] = ("messages", "members", "people")

    def get_queryset(self) -> QuerySet[Message]:
        return shown(Message.objects.filter(tenant=self.church))


class MessagesView(Messages, SendingView, ListCreateView):
    """All texts of the church, out and in."""

    query_serializer = MessageQuerySerializer
    example_body = {"to": "", "text": ""}
    throttle_policies = {"POST": ["messages"]}

    def filter_queryset(self, queryset: Any) -> Any:
        query = {_LOOKUPS[name]: value for name, value in self.query().items()}
        if broadcast := query.get("batch"):
            query["batch"] = broadcast.pk
        return super().filter_queryset(queryset.filter(**query))

    @extend_schema(parameters=[MessageQuerySerializer])
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    @extend_schema(request=NewMessageSerializer, responses={202: MessageSerializer})
    @idempotent
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send one text to a number, a member, or on in a conversation."""
        given = self.checked(NewMessageSerializer)
        return self.send(self.phone_of(given), given)


class MessageView(Messages, ItemView):
    http_method_names = ["get", "head", "options"]


class AttemptsView(Messages):
    """What each call to the carrier's API came to."""

    serializer_class = AttemptSerializer
    collections = ("messages", "attempts")
    pagination_class = None

    @extend_schema(responses=AttemptSerializer(many=True))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        attempts = Attempt.objects.filter(message=self.get_object())
        return Response(self.get_serializer(attempts, many=True).data)


class CancelMessageView(Messages):
    example_body = {}

    @extend_schema(request=None, responses=MessageSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Call a text back that has not been sent; 409 where it is too late."""
        message = self.get_object()
        if message.status != Status.CANCELLED and not cancel_message(message, now=timezone.now()):
            raise ConflictError("It is too late: this text is not waiting any more.")
        return Response(self.get_serializer(self.get_object()).data)
