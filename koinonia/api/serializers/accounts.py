"""The password and the tokens of the present user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from koinonia.accounts import keys
from koinonia.api.serializers.fields import ChoiceField, IdField, NameField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.times import InstantField
from koinonia.models import Church, KeyScope

DEFAULT_LIFE = timedelta(days=90)
MAX_LIFE = timedelta(days=366)


class PasswordSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """The present password and the new one."""

    current_password = serializers.CharField(
        max_length=4096, trim_whitespace=False, write_only=True
    )
    new_password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class ScopesField(serializers.ListField):
    """A list of scopes of an API key: at least one. Null stands for all rights of the user."""

    child = ChoiceField(KeyScope.choices)

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_empty=False, allow_null=True, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        given = super().to_internal_value(data)
        return [scope for scope in KeyScope.values if scope in given]


class NewTokenSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """A name for the key, its expiry (default: 90 days from now), its scopes and its church.

    Without `scopes` the key may do all that its user may do. With the slug of a `church` it has
    this church alone.
    """

    name = NameField()
    expires_at = InstantField(required=False)
    scopes = ScopesField(required=False, default=None)
    church = serializers.CharField(max_length=100, required=False, default=None, allow_null=True)

    def validate_church(self, slug: str | None) -> Church | None:
        """Return the church. One of other people looks like one that does not exist."""
        if slug is None:
            return None
        found = Church.objects.of(self.context["user"]).filter(slug=slug).first()
        if found is None:
            raise serializers.ValidationError(
                _("You have no church with this name in its address.")
            )
        return found

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["church"] and not attrs["scopes"]:
            sentence = _("A key of one church needs scopes.")
            raise serializers.ValidationError({"scopes": [sentence]})
        now = timezone.now()
        expires_at = attrs.setdefault("expires_at", now + DEFAULT_LIFE)
        if not now < expires_at <= now + MAX_LIFE:
            sentence = _("A key expires in the future, and within %(days)s days.")
            sentence %= {"days": MAX_LIFE.days}
            raise serializers.ValidationError({"expires_at": [sentence]})
        return attrs


class TokenSerializer(serializers.Serializer[Any]):
    """A valid token. The token of a login has an empty name.

    `scopes` is null for a token with all rights of its user, and `church` for one of all churches. `prefix` is the beginning of the token.
    """

    id = IdField(source="details.pk")
    name = serializers.CharField(source="details.name", read_only=True)
    created_at = serializers.DateTimeField(source="created", read_only=True)
    last_used_at = serializers.SerializerMethodField()
    expires_at = serializers.DateTimeField(source="expiry", read_only=True)
    scopes = serializers.SerializerMethodField()
    church = serializers.SerializerMethodField()
    prefix = serializers.SerializerMethodField()

    @extend_schema_field(ScopesField())
    def get_scopes(self, token: Any) -> list[str] | None:
        column: str = token.details.scopes
        return column.split() if column else None

    def get_church(self, token: Any) -> str | None:
        """Return the slug of the only church of the key."""
        church = token.details.church
        return church.slug if church else None

    def get_prefix(self, token: Any) -> str:
        return keys.prefix(token)

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
