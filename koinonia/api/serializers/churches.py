"""Churches, their staff, and the present user."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from koinonia.api.serializers.fields import ChoiceField, IdField, ItemTagField, NameField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.models import Church, Role, Staff
from koinonia.quiet.hours import quiet_hours_refusal
from koinonia.series import new_zone
from koinonia.zones import NO_ZONE, is_zone


class ChurchSerializer(KnownFieldsMixin, serializers.ModelSerializer[Church]):
    name = NameField()
    phone_number = serializers.CharField(read_only=True, allow_null=True)
    members_count = serializers.IntegerField(read_only=True)
    groups_count = serializers.IntegerField(read_only=True)
    etag = ItemTagField()
    plain_punctuation = serializers.BooleanField(
        write_only=True,
        required=False,
        help_text="Write ' for a curly apostrophe, and similar plain characters, when a text is rendered.",
    )

    quiet_from = serializers.TimeField(
        write_only=True, required=False, allow_null=True, help_text="Null: no quiet hours."
    )
    quiet_until = serializers.TimeField(write_only=True, required=False, allow_null=True)

    class Meta:
        model = Church
        fields: ClassVar[list[str]] = [
            "slug", "name", "phone_number", "timezone", "members_count", "groups_count", "etag",
            "plain_punctuation", "quiet_from", "quiet_until",
        ]  # fmt: skip
        read_only_fields = ["slug"]

    def validate_timezone(self, name: str) -> str:
        if not is_zone(name):
            raise serializers.ValidationError(gettext(NO_ZONE))
        return name

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        hours = {
            name: attrs.get(name, getattr(self.instance, name, None))
            for name in ("quiet_from", "quiet_until")
        }
        if reason := quiet_hours_refusal(hours["quiet_from"], hours["quiet_until"]):
            raise serializers.ValidationError({"quiet_until": [reason]})
        return attrs

    def update(self, instance: Church, validated_data: dict[str, Any]) -> Church:
        before = instance.timezone
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=list(validated_data))
        new_zone.follow(instance, before, timezone.now())
        return instance

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse another number. Accept the present one: a client may send back the item it read."""
        present = getattr(self.instance, "phone_number", None)
        if isinstance(data, dict) and data.get("phone_number", present) != present:
            sentence = "The operator gives numbers to churches: ask the operator for another one."
            raise serializers.ValidationError({"phone_number": [sentence]})
        return dict(super().to_internal_value(data))


# The component keeps its name in the schema: generated clients have a type of this name.
@extend_schema_serializer(component_name="Place")
class MembershipSerializer(serializers.Serializer[Staff]):
    """A church and the role of the user in it."""

    slug = serializers.CharField(source="church.slug", read_only=True)
    name = serializers.CharField(source="church.name", read_only=True)
    role = serializers.ChoiceField(Role.choices, read_only=True)


class MeSerializer(serializers.Serializer[User]):
    id = IdField(source="pk")
    username = serializers.CharField(read_only=True)
    churches = MembershipSerializer(source="memberships", many=True, read_only=True)

    def to_representation(self, instance: User) -> dict[str, Any]:
        memberships = Staff.objects.filter(user=instance).select_related("church")
        if only := self.context.get("only"):
            memberships = memberships.filter(church=only)
        instance.memberships = memberships.order_by("church__name", "church_id")  # type: ignore[attr-defined] # for the field above
        return super().to_representation(instance)


class StaffSerializer(KnownFieldsMixin, serializers.ModelSerializer[Staff]):
    serializer_choice_field = ChoiceField
    id = IdField()
    username = serializers.CharField(source="user.username", read_only=True)
    etag = ItemTagField()

    class Meta:
        model = Staff
        fields = ["id", "username", "role", "created_at", "etag"]
        read_only_fields = ["created_at"]
