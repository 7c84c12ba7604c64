"""The password and the tokens of the present user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from koinonia.api.serializers.fields import IdField, NameField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.times import InstantField

DEFAULT_LIFE = timedelta(days=90)
MAX_LIFE = timedelta(days=366)


class PasswordSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """The present password and the new one."""

    current_password = serializers.CharField(
        max_length=4096, trim_whitespace=False, write_only=True
    )
    new_password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class NewTokenSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """A name for the token, and its expiry (default: 90 days from now)."""

    name = NameField()
    expires_at = InstantField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        expires_at = attrs.setdefault("expires_at", now + DEFAULT_LIFE)
        if not now < expires_at <= now + MAX_LIFE:
            sentence = _("A token expires in the future, and within %(days)s days.")
            sentence %= {"days": MAX_LIFE.days}
            raise serializers.ValidationError({"expires_at": [sentence]})
        return attrs


class TokenSerializer(serializers.Serializer[Any]):
    """A valid token. The token of a login has an empty name."""

    id = IdField(source="details.pk")
    name = serializers.CharField(source="details.name", read_only=True)
    created_at = serializers.DateTimeField(source="created", read_only=True)
    last_used_at = serializers.SerializerMethodField()
    expires_at = serializers.DateTimeField(source="expiry", read_only=True)

    def get_last_used_at(self, token: Any) -> datetime | None:
        """Return the time of the last use, to the minute."""
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
    """A new token. This answer alone contains the secret ``token``."""

    token = serializers.CharField(read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        return {**fields, "token": fields.pop("token")}
