from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from delivery.statuses import Status
from koinonia.api.serializers.fields import MAX_GROUPS, MAX_MEMBERS, ChurchItemsField, IdField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.messages import AuthorSerializer, NamedSerializer, ReplySerializer
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.renderings import MAX_NAMED
from koinonia.models import Broadcast

_AUDIENCE = ("all", "groups", "members", "exclude_groups")


class AudienceSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """``{"all": true}``, or groups and members by id; both can leave groups out."""

    all = serializers.BooleanField(required=False, default=False)
    groups = ChurchItemsField("groups", most=MAX_GROUPS, required=False)
    members = ChurchItemsField("members", most=MAX_MEMBERS, required=False)
    exclude_groups = ChurchItemsField(
        "groups",
        most=MAX_GROUPS,
        required=False,
        help_text="Members of these groups get no text, however they were chosen.",
    )


@extend_schema_field(AudienceSerializer)
class AudienceField(serializers.Field[Any, Any, Any, Any]):
    """The audience of a broadcast. All its errors go to one field, as clients show one."""

    default_error_messages = {"either": _("Name either all, or groups and members.")}

    def to_internal_value(self, data: Any) -> Audience:
        inner = AudienceSerializer(data=data, context=self.context)
        if not inner.is_valid():
            sentences = [
                f"{name}: {error}" for name, errors in inner.errors.items() for error in errors
            ]
            raise serializers.ValidationError(sentences)
        chosen = inner.validated_data
        groups, members = chosen.get("groups", []), chosen.get("members", [])
        if bool(chosen["all"]) == bool(groups or members):
            self.fail("either")
        as_sent = {name: _distinct(data[name]) for name in _AUDIENCE if name in data}
        return Audience(
            everyone=chosen["all"],
            group_ids=groups,
            member_ids=members,
            excluded_ids=chosen.get("exclude_groups", []),
            as_sent=as_sent,
        )

    def to_representation(self, value: Any) -> Any:
        return value


def _distinct(value: Any) -> Any:
    return list(dict.fromkeys(value)) if isinstance(value, list) else value


@extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
class CountsField(serializers.Field[Any, Any, Any, Any]):
    """The number of texts of a broadcast by status, without the statuses that no text has."""

    def to_representation(self, value: dict[str, int]) -> dict[str, int]:
        return {status: value[status] for status in Status.values if value.get(status)}


class BroadcastSerializer(serializers.ModelSerializer[Broadcast]):
    id = IdField()
    audience = AudienceField(read_only=True)
    status = serializers.ChoiceField(Broadcast.Status.choices, read_only=True)
    counts = CountsField(read_only=True)
    author = AuthorSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Broadcast
        fields = [
            "id",
            "text",
            "audience",
            "status",
            "counts",
            "total",
            "author",
            "created_at",
            "scheduled_at",
        ]
        read_only_fields = ["text", "total", "created_at", "scheduled_at"]


class LeftOutSerializer(serializers.Serializer[Any]):
    """A member who gets no text, and the reason."""

    member = NamedSerializer()
    reason = serializers.CharField()


class SentBroadcastSerializer(BroadcastSerializer):
    """The answer to the POST. ``left_out`` names members without a text, if there are any."""

    left_out = LeftOutSerializer(many=True, required=False, help_text=f"At most {MAX_NAMED}.")
    left_out_total = serializers.IntegerField(
        required=False, help_text="How many are left out; `left_out` may name fewer."
    )

    class Meta(BroadcastSerializer.Meta):
        fields = [*BroadcastSerializer.Meta.fields, "left_out", "left_out_total"]

    def to_representation(self, instance: Broadcast) -> dict[str, Any]:
        data = dict(BroadcastSerializer(instance, context=self.context).data)
        left_out = instance.left_out
        if left_out is not None and left_out.total:
            data["left_out"] = LeftOutSerializer(left_out.named, many=True).data
            data["left_out_total"] = left_out.total
        return data


class NewBroadcastSerializer(ReplySerializer):
    audience = AudienceField()
