from __future__ import annotations

from typing import Any

from rest_framework import serializers

from delivery.dead_letters import Filter
from delivery.dead_letters.decisions import LONGEST_REASON
from delivery.statuses import Status
from koinonia.api.serializers.fields import (
    ChoiceField,
    ChurchItemField,
    DistinctListField,
    IdField,
    TextField,
)
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.messages import AuthorSerializer, MessageSerializer
from koinonia.api.serializers.times import InstantField

MAX_IDS = 1000
_ALL_OR_SOME = 'Name a filter, or {"all": true} for every dead letter.'


class DeadLetterSerializer(MessageSerializer):
    dead_since = serializers.DateTimeField(read_only=True, allow_null=True)
    reviewed_by = AuthorSerializer(read_only=True, allow_null=True)
    discarded_reason = serializers.CharField(read_only=True)


class DeadLetterQuerySerializer(serializers.Serializer[Any]):
    """The query parameters that select dead letters."""

    status = ChoiceField([Status.DEAD.value, Status.UNKNOWN.value], required=False)
    code = serializers.CharField(required=False, max_length=40)
    member = ChurchItemField("members", required=False)
    broadcast = ChurchItemField("broadcasts", required=False)
    since = InstantField(
        in_query=True, required=False, help_text="Became a dead letter at this time or later."
    )
    until = InstantField(
        in_query=True, required=False, help_text="Became a dead letter before this time."
    )


def filter_of(query: dict[str, Any]) -> Filter:
    member, broadcast = query.get("member"), query.get("broadcast")
    return Filter(
        status=query.get("status"),
        code=query.get("code"),
        dead_after=query.get("since"),
        dead_before=query.get("until"),
        recipient_id=member.pk if member else None,
        batch=broadcast.pk if broadcast else None,
    )


class DeadLetterFilterSerializer(KnownFieldsMixin, DeadLetterQuerySerializer):
    """The filter of a bulk retry. ``{"all": true}`` selects all; an empty filter is refused."""

    all = serializers.BooleanField(
        required=False, default=False, help_text="All dead letters that wait for a decision."
    )
    since = InstantField(required=False, help_text="Became a dead letter at this time or later.")
    until = InstantField(required=False, help_text="Became a dead letter before this time.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        everything = attrs.pop("all")
        if everything == bool(attrs):
            raise serializers.ValidationError(_ALL_OR_SOME)
        return attrs


class RetrySerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    may_double = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Required for a text that may have arrived: it may arrive twice.",
    )


class BulkRetrySerializer(RetrySerializer):
    """Exactly one of ``ids`` and ``filter``."""

    ids = DistinctListField(
        child=serializers.CharField(max_length=50),
        required=False,
        min_length=1,
        max_length=MAX_IDS,
    )
    filter = DeadLetterFilterSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError({"ids": ["Name either ids or a filter."]})
        return attrs


class RefusalSerializer(serializers.Serializer[Any]):
    id = IdField()
    code = serializers.CharField()


class RetryResultSerializer(serializers.Serializer[Any]):
    retried = serializers.IntegerField()
    refused = RefusalSerializer(many=True)


class DiscardSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    reason = TextField(max_length=LONGEST_REASON, trim_whitespace=True)
