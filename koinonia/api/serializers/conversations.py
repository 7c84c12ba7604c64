"""Conversations, the colleagues who answer them, and the parameters of their list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from httpopt.fields import Computed
from koinonia import ids
from koinonia.api.serializers.fields import IdField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.messages import MessageSerializer, NamedSerializer
from koinonia.models import Conversation, InboxState, Role, Staff

ME = "me"


class ColleagueSerializer(serializers.Serializer[Staff]):
    """A membership as ``{id,name}``."""

    id = IdField()
    name = serializers.CharField(source="user.username", read_only=True)


@extend_schema_field({**ids.SCHEMA, "description": "The id of a colleague, or `me`."})
class ColleagueField(serializers.Field[Any, Any, Any, Any]):
    """A colleague with the right to send, written as the id of the membership or as ``me``.

    The shape of an answer, ``{"id", "name"}``, is accepted too: an item may be sent back as it was read.
    """

    default_error_messages = {
        "unknown": _("There is no colleague with the id {value!r} in this church."),
        "viewer": _("A viewer cannot answer texts: choose an owner or a sender."),
    }

    def to_internal_value(self, data: Any) -> Staff:
        given = data.get("id") if isinstance(data, Mapping) else data
        membership: Staff | None = None
        if given == ME:
            membership = self.context["membership"]
        elif isinstance(given, str) and (key := ids.decode(given)):
            staff = Staff.objects.filter(church=self.context["church"], pk=key)
            membership = staff.select_related("user").first()
        if membership is None:
            self.fail("unknown", value=str(given)[:20])
        if membership.role == Role.VIEWER:
            self.fail("viewer")
        return membership

    def to_representation(self, value: Staff) -> str:
        return ids.encode(value.pk)


@extend_schema_field(bool)
class DoneField(Computed):
    def __init__(self) -> None:
        super().__init__("state", compute=_is_done)


def _is_done(state: str) -> bool:
    return state == InboxState.DONE


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    id = IdField()
    member = NamedSerializer(read_only=True, allow_null=True)
    last_message = MessageSerializer(read_only=True, allow_null=True)
    assigned_to = ColleagueSerializer(read_only=True, allow_null=True)
    done = DoneField()

    class Meta:
        model = Conversation
        fields = [
            "id", "phone", "member", "last_message", "unread_count", "updated_at", "assigned_to",
            "done",
        ]  # fmt: skip
        read_only_fields = fields


class ConversationChangeSerializer(KnownFieldsMixin, serializers.Serializer[Conversation]):
    """A change of a conversation. Its other fields are ignored."""

    id = IdField()
    phone = serializers.CharField(read_only=True)
    member = serializers.JSONField(read_only=True)
    last_message = serializers.JSONField(read_only=True)
    unread_count = serializers.IntegerField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    assigned_to = ColleagueField(required=False, allow_null=True)
    done = serializers.BooleanField(required=False)


class ConversationQuerySerializer(serializers.Serializer[Any]):
    """With ``unread``, ``open``, ``done`` or ``assigned_to`` the list has the order of the inbox."""

    unread = serializers.BooleanField(
        required=False, help_text="1: with texts that nobody has read."
    )
    open = serializers.BooleanField(
        required=False,
        help_text="1: the person has written and no colleague has marked the conversation as done since.",
    )
    done = serializers.BooleanField(required=False, help_text="1: marked as done.")
    assigned_to = ColleagueField(required=False)
    search = serializers.CharField(
        required=False,
        min_length=2,
        max_length=100,
        help_text="Words of the person's name, digits of the number, or words of the newest 10,000 texts of the church "
        "without its broadcasts.",
    )
