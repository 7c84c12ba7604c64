"""Churches, their staff, and who one is oneself."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.models import User
from rest_framework import serializers

from koinonia.api.serializers.fields import IdField, ItemTagField, PhoneField
from koinonia.api.serializers.strict import KnownFieldsMixin
from koinonia.api.serializers.texts import NameField
from koinonia.api.uniqueness import taken_as_error
from koinonia.models import Church, Role, Staff


class ChurchSerializer(KnownFieldsMixin, serializers.ModelSerializer[Church]):
    name = NameField()
    phone_number = PhoneField()
    members_count = serializers.IntegerField(read_only=True)
    groups_count = serializers.IntegerField(read_only=True)
    etag = ItemTagField()

    class Meta:
        model = Church
        fields: ClassVar[list[str]] = [
            "slug", "name", "phone_number", "timezone", "members_count", "groups_count", "etag",
        ]  # fmt: skip
        read_only_fields = ["slug"]

    def validate_timezone(self, name: str) -> str:
        if name not in available_timezones():
            raise serializers.ValidationError("This is not a time zone, such as America/Chicago.")
        return name

    def update(self, instance: Church, validated_data: dict[str, Any]) -> Church:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        with taken_as_error(phone_number="Another church texts from this number."):
            instance.save(update_fields=list(validated_data))
        return instance


class PlaceSerializer(serializers.Serializer[Staff]):
    """A church and one's role in it."""

    slug = serializers.CharField(source="church.slug", read_only=True)
    name = serializers.CharField(source="church.name", read_only=True)
    role = serializers.ChoiceField(Role.choices, read_only=True)


class MeSerializer(serializers.Serializer[User]):
    id = IdField(source="pk")
    username = serializers.CharField(read_only=True)
    churches = PlaceSerializer(source="places", many=True, read_only=True)

    def to_representation(self, instance: User) -> dict[str, Any]:
        places = Staff.objects.filter(user=instance).select_related("church")
        instance.places = places.order_by("church__name", "church_id")  # type: ignore[attr-defined] # for the field above
        return super().to_representation(instance)


class StaffSerializer(KnownFieldsMixin, serializers.ModelSerializer[Staff]):
    id = IdField()
    username = serializers.CharField(source="user.username", read_only=True)
    etag = ItemTagField()

    class Meta:
        model = Staff
        fields = ["id", "username", "role", "created_at", "etag"]
        read_only_fields = ["created_at"]
