from __future__ import annotations

from rest_framework import serializers

from koinonia.api.serializers.fields import IdField
from koinonia.api.serializers.messages import MessageSerializer, NamedSerializer
from koinonia.models import Conversation


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    id = IdField()
    member = NamedSerializer(read_only=True, allow_null=True)
    last_message = MessageSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Conversation
        fields = ["id", "phone", "member", "last_message", "unread_count", "updated_at"]
        read_only_fields = fields
