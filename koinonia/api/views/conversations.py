from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from delivery.models import Message
from koinonia.api.errors import ConflictError
from koinonia.api.idempotency import idempotent
from koinonia.api.pagination import InboxOrder, LatestFirst, NewestFirst
from koinonia.api.schema import CONFLICT
from koinonia.api.serializers.conversations import (
    ColleagueSerializer,
    ConversationChangeSerializer,
    ConversationQuerySerializer,
    ConversationSerializer,
)
from koinonia.api.serializers.messages import MessageSerializer, ReplySerializer
from koinonia.api.views.base import ChurchView, ItemView, ListView
from koinonia.api.views.sending import SendingView, shown
from koinonia.conversations import mark_read
from koinonia.inbox import changes
from koinonia.inbox.lists import colleagues, in_the_inbox, narrowed
from koinonia.models import Conversation, Staff

UNREAD = "A text has arrived that nobody has read: read it, then mark the conversation as done."
_IN_THE_INBOX = {"unread", "open", "done", "assigned_to"}
_MOST_COLLEAGUES = 200


class _Conversations(ChurchView):
    serializer_class = ConversationSerializer
    pagination_class = LatestFirst
    collections = ("conversations", "messages", "members", "people", "staff")

    def get_queryset(self) -> QuerySet[Conversation]:
        conversations = Conversation.objects.filter(church=self.church)
        return conversations.select_related(
            "member", "last_message__recipient", "last_message__author", "assigned_to__user"
        )


class ConversationsView(_Conversations, ListView):
    """The conversations, one per number, the latest first."""

    query_serializer = ConversationQuerySerializer

    def filter_queryset(self, queryset: Any) -> Any:
        query = self.query()
        queryset = narrowed(queryset, self.church, **query)
        if not query.keys().isdisjoint(_IN_THE_INBOX):
            cast(NewestFirst, self.paginator).ordering = InboxOrder.ordering
            queryset = in_the_inbox(queryset)
        return super().filter_queryset(queryset)

    @extend_schema(parameters=[ConversationQuerySerializer])
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)


class ConversationView(_Conversations, ItemView):
    """A conversation."""

    @extend_schema(
        request=ConversationChangeSerializer, responses={200: ConversationSerializer, **CONFLICT}
    )
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change who answers the conversation (or null), or whether it is done.

        It cannot be done while it has unread texts: 409. The person's next text opens it again.
        """
        conversation = self.get_object()
        given = self.checked(ConversationChangeSerializer)
        try:
            changes.change(self.church, conversation, by=self.user, **given, now=timezone.now())
        except changes.UnreadTextsError:
            raise ConflictError(UNREAD) from None
        return Response(self.get_serializer(self.get_object()).data)


class OptOutView(_Conversations):
    @extend_schema(request=None, responses=ConversationSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Record an opt-out of the number. Only a START text from the number ends it."""
        conversation = self.get_object()
        changes.opt_out(self.church, conversation, by=self.user, now=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)


class ColleaguesView(ChurchView):
    """The colleagues who may answer texts."""

    serializer_class = ColleagueSerializer
    collections = ("staff", "people")
    pagination_class = None

    def get_queryset(self) -> QuerySet[Staff]:
        return colleagues(self.church)

    @extend_schema(responses=ColleagueSerializer(many=True))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.filter_queryset(self.get_queryset())
        return Response(self.get_serializer(rows[:_MOST_COLLEAGUES], many=True).data)


class ConversationMessagesView(SendingView, ListView):
    """The texts of one conversation, newest first."""

    serializer_class = MessageSerializer
    collections = ("messages", "members", "people")
    throttle_policies = {"POST": ["messages"]}

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
    @extend_schema(request=None, responses=ConversationSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Mark every received text as read."""
        mark_read(self.get_object(), now=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)
