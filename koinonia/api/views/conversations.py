from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from delivery.models import Message
from koinonia.api.idempotency import idempotent
from koinonia.api.pagination import LatestFirst
from koinonia.api.serializers.messages import (
    ConversationSerializer,
    MessageSerializer,
    ReplySerializer,
)
from koinonia.api.views.base import ChurchView, ItemView, ListView
from koinonia.api.views.sending import SendingView, shown
from koinonia.conversations import mark_read
from koinonia.models import Conversation


class _Conversations(ChurchView):
    serializer_class = ConversationSerializer
    pagination_class = LatestFirst
    collections = ("conversations", "messages", "members", "people")

    def get_queryset(self) -> QuerySet[Conversation]:
        conversations = Conversation.objects.filter(church=self.church)
        return conversations.select_related(
            "member", "last_message__recipient", "last_message__author"
        )


class ConversationsView(_Conversations, ListView):
    """The conversations, one per number, the latest first."""


class ConversationView(_Conversations, ItemView):
    """A conversation."""


class ConversationMessagesView(SendingView, ListView):
    """The texts of one conversation, newest first."""

    serializer_class = MessageSerializer
    collections = ("messages", "members", "people")
    throttle_policies = {"POST": ["messages"]}
    example_body = {"text": ""}

    def get_queryset(self) -> QuerySet[Message]:
        return shown(Message.objects.filter(tenant=self.church, thread=self.conversation().pk))

    def conversation(self) -> Conversation:
        if getattr(self, "swagger_fake_view", False):
            return Conversation()
        return self.item_of(Conversation.objects.filter(church=self.church))

    @extend_schema(request=ReplySerializer, responses={202: MessageSerializer})
    @idempotent
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send a text to the number of this conversation."""
        conversation = self.conversation()
        return self.send(conversation.phone, self.checked(ReplySerializer))


class ReadConversationView(_Conversations):
    example_body = {}

    @extend_schema(request=None, responses=ConversationSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Mark every received text as read."""
        mark_read(self.get_object(), now=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)
