"""The same list of 50 texts as in the documentation of DRF: the baseline for httpopt.

The authentication, permission, throttle and paging are the same, with a ModelSerializer and without our middleware.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer

from delivery.models import Message
from koinonia.api.permissions import IsStaffWithRole
from koinonia.models import Member, Role


class MemberSerializer(serializers.ModelSerializer[Member]):
    class Meta:
        model = Member
        fields = ["id", "name"]


class AuthorSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField(source="username")


class MessageSerializer(serializers.ModelSerializer[Message]):
    member = MemberSerializer(source="recipient")
    author = AuthorSerializer()

    class Meta:
        model = Message
        fields = [
            "id", "direction", "status", "to_number", "from_number", "text", "media_urls",
            "encoding", "parts", "member", "thread", "batch", "author", "attempts", "error_code",
            "error_title", "error_class", "created_at", "scheduled_at", "expires_at", "sent_at",
            "delivered_at", "read_at", "updated_at",
        ]  # fmt: skip


class PlainMessagesView(ListAPIView[Message]):
    permission_classes = [IsAuthenticated, IsStaffWithRole]
    renderer_classes = [JSONRenderer]
    serializer_class = MessageSerializer

    def needed_role(self) -> Role:
        return Role.VIEWER

    def get_queryset(self) -> QuerySet[Message]:
        messages = Message.objects.filter(tenant__slug=self.kwargs["church"])
        return messages.select_related("recipient", "author")
