"""Messages, and the bodies that send a text."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from delivery.accept import MAX_MEDIA
from delivery.models import Attempt, Direction, Encoding, Message
from delivery.statuses import Status
from httpopt.fields import Computed
from koinonia.api.serializers.fields import (
    BoundedListField,
    ChurchItemField,
    IdField,
    PhoneField,
    TextField,
)
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.times import InstantField
from koinonia.models.member import full_name

LATEST_SEND = timedelta(days=366)
MAX_TEXT_LENGTH = 1600


@extend_schema_field(str)
class FullNameField(Computed):
    """``Member.name``, computed from the columns of the name."""

    def __init__(self) -> None:
        super().__init__("first_name", "last_name", compute=full_name)


class NamedSerializer(serializers.Serializer[Any]):
    """A member as ``{id,name}``."""

    id = IdField()
    name = FullNameField()


class AuthorSerializer(serializers.Serializer[Any]):
    id = IdField()
    name = serializers.CharField(source="username", read_only=True)


class ErrorSerializer(serializers.Serializer[Message]):
    """The reason of a failure; null without a failure."""

    code = serializers.CharField(source="error_code", read_only=True)
    title = serializers.CharField(source="error_title", read_only=True)
    class_ = serializers.CharField(source="error_class", read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


@extend_schema_field(ErrorSerializer(allow_null=True))
class ErrorField(Computed):
    def __init__(self) -> None:
        super().__init__("error_code", "error_title", "error_class", compute=_error)


def _error(code: str, title: str, class_: str) -> dict[str, str] | None:
    return {"code": code, "title": title, "class": class_} if code else None


class MessageSerializer(serializers.Serializer[Message]):
    id = IdField()
    direction = serializers.ChoiceField(Direction.choices, read_only=True)
    status = serializers.ChoiceField(Status.choices, read_only=True)
    to = serializers.CharField(source="to_number", read_only=True)
    from_ = serializers.CharField(source="from_number", read_only=True)
    text = serializers.CharField(read_only=True)
    media_urls = serializers.ListField(child=serializers.URLField(), read_only=True)
    encoding = serializers.ChoiceField(Encoding.choices, read_only=True)
    parts = serializers.IntegerField(read_only=True)
    member = NamedSerializer(source="recipient", read_only=True, allow_null=True)
    conversation = IdField(source="thread", allow_null=True)
    broadcast = IdField(source="batch", allow_null=True)
    author = AuthorSerializer(read_only=True, allow_null=True)
    attempts = serializers.IntegerField(read_only=True)
    error = ErrorField()
    created_at = serializers.DateTimeField(read_only=True)
    scheduled_at = serializers.DateTimeField(read_only=True, allow_null=True)
    expires_at = serializers.DateTimeField(read_only=True, allow_null=True)
    sent_at = serializers.DateTimeField(read_only=True, allow_null=True)
    delivered_at = serializers.DateTimeField(read_only=True, allow_null=True)
    read_at = serializers.DateTimeField(read_only=True, allow_null=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # ``from`` is a keyword of Python.
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    class Meta:
        model = Attempt
        fields = ["number", "started_at", "duration_ms", "outcome", "http_status", "code", "detail"]
        read_only_fields = fields


class TextSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """The fields of every text that is sent."""

    text = TextField(max_length=MAX_TEXT_LENGTH, allow_blank=True, required=False, default="")
    send_at = InstantField(required=False, allow_null=True, default=None)
    expires_at = InstantField(required=False, allow_null=True, default=None)

    def validate_send_at(self, when: datetime | None) -> datetime | None:
        return within_bounds(when)

    def validate_expires_at(self, when: datetime | None) -> datetime | None:
        return within_bounds(when)


class MediaUrlsField(BoundedListField):
    """The media of a text. ``delivery`` checks each URL."""

    def __init__(self) -> None:
        child = serializers.CharField(max_length=2000)
        super().__init__(child=child, required=False, default=list, max_length=MAX_MEDIA)


class ReplySerializer(TextSerializer):
    media_urls = MediaUrlsField()


class NewMessageSerializer(ReplySerializer):
    """Exactly one of ``to``, ``member`` and ``conversation``."""

    to = PhoneField(required=False)
    member = ChurchItemField("members", required=False)
    conversation = ChurchItemField("conversations", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = [name for name in ("to", "member", "conversation") if name in attrs]
        if len(named) != 1:
            sentence = "Name the recipient by exactly one of to, member and conversation."
            raise serializers.ValidationError({name: [sentence] for name in named or ["to"]})
        return attrs


def within_bounds(when: datetime | None) -> datetime | None:
    """Return ``when``. Raise ValidationError if it has passed or is too far away."""
    now = timezone.now()
    if when is not None and not now < when <= now + LATEST_SEND:
        raise serializers.ValidationError(_("This must be in the future, and within a year."))
    return when
