"""A user's own password and tokens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from koinonia.api.serializers.fields import IdField
from koinonia.names import tidy

DEFAULT_LIFE = timedelta(days=90)
LONGEST_LIFE = timedelta(days=366)
_WITH_OFFSET = re.compile(r".*([zZ]|[+-]\d{2}:\d{2})", re.ASCII)


class PasswordSerializer(serializers.Serializer[Any]):
    """The present password, and the one that takes its place."""

    current_password = serializers.CharField(
        max_length=4096, trim_whitespace=False, write_only=True
    )
    new_password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class ExpiryField(serializers.DateTimeField):
    """RFC 3339 with an offset."""

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not _WITH_OFFSET.fullmatch(value):
            raise serializers.ValidationError(
                "Write a time with its offset, such as 2027-01-31T12:00:00Z."
            )
        return super().to_internal_value(value.upper())


class NewTokenSerializer(serializers.Serializer[Any]):
    """A name for the token, and the time when it ends (default: after 90 days)."""

    name = serializers.CharField(max_length=100)
    expires_at = ExpiryField(required=False)

    def validate_name(self, name: str) -> str:
        tidied = tidy(name)
        if not tidied:
            raise serializers.ValidationError("Give the token a name that can be seen.")
        return tidied

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        expires_at = attrs.setdefault("expires_at", now + DEFAULT_LIFE)
        if not now < expires_at <= now + LONGEST_LIFE:
            told = f"A token expires in the future, and within {LONGEST_LIFE.days} days."
            raise serializers.ValidationError({"expires_at": [told]})
        return attrs


class TokenSerializer(serializers.Serializer[Any]):
    """A token that opens the API; the name of a login's token is empty."""

    id = IdField(source="details.pk")
    name = serializers.CharField(source="details.name", read_only=True)
    created_at = serializers.DateTimeField(source="created", read_only=True)
    last_used_at = serializers.SerializerMethodField()
    expires_at = serializers.DateTimeField(source="expiry", read_only=True)

    def get_last_used_at(self, token: Any) -> datetime | None:
        """To the minute."""
        seconds: int | None = token.details.last_used
        if seconds is None:
            return None
        return datetime.fromtimestamp(seconds - seconds % 60, UTC)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = super().to_representation(instance)
        at = shown["last_used_at"]
        shown["last_used_at"] = at and at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return shown


class MadeTokenSerializer(TokenSerializer):
    """The same, with the token itself, which is shown this once."""

    token = serializers.CharField(read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        return {**fields, "token": fields.pop("token")}
