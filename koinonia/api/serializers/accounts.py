"""A user's own password and tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from koinonia.api.serializers.fields import IdField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.texts import NameField
from koinonia.api.serializers.times import InstantField

DEFAULT_LIFE = timedelta(days=90)
LONGEST_LIFE = timedelta(days=366)


class PasswordSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """The present password, and the one that takes its place."""

    current_password = serializers.CharField(
        max_length=4096, trim_whitespace=False, write_only=True
    )
    new_password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class NewTokenSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """A name for the token, and the time when it ends (default: after 90 days)."""

    name = NameField()
    expires_at = InstantField(required=False)

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
