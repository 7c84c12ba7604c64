"""Series: broadcasts that repeat."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from koinonia.api.serializers.broadcasts import AudienceField
from koinonia.api.serializers.fields import ChoiceField, IdField, ItemTagField, TextField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.messages import MAX_TEXT_LENGTH, AuthorSerializer, within_bounds
from koinonia.api.serializers.times import InstantField
from koinonia.models import Broadcast, Series
from koinonia.series.repeat import Repeat, clock_of
from koinonia.series.start import MOST_COUNT, MOST_INTERVAL


class RepeatSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """The rule. The first ``send_at`` gives the weekday or the day of the month."""

    every = ChoiceField(Series.Every.choices)
    interval = serializers.IntegerField(min_value=1, max_value=MOST_INTERVAL, default=1)
    on = ChoiceField(
        [("day", "day"), ("weekday", "weekday")],
        default="day",
        help_text="With month: the same day of the month, or the same weekday, such as the 2nd Sunday.",
    )
    until = serializers.DateField(
        allow_null=True, default=None, help_text="The last day, or null: without an end."
    )
    count = serializers.IntegerField(
        min_value=1,
        max_value=MOST_COUNT,
        allow_null=True,
        default=None,
        help_text="How often, or null: without an end. Not beside `until`.",
    )

    def to_internal_value(self, data: Any) -> Any:
        return Repeat(**super().to_internal_value(data))


class NewSeriesSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    text = TextField(max_length=MAX_TEXT_LENGTH, allow_blank=True)
    audience = AudienceField()
    send_at = InstantField(help_text="The first time. Its clock of the church is kept.")
    repeat = RepeatSerializer()

    def validate_send_at(self, when: datetime | None) -> datetime | None:
        return within_bounds(when)


class ChangedSeriesSerializer(NewSeriesSerializer):
    """A field that is not named stays."""

    paused = serializers.BooleanField(required=False)
    ended = serializers.BooleanField(
        required=False,
        help_text="`false` lets an ended series go on, with the other fields of the request.",
    )

    def validate_ended(self, ended: bool) -> bool:
        if ended:
            raise serializers.ValidationError("DELETE ends a series. Only `false` can be sent.")
        return ended


class OccurrenceSerializer(serializers.Serializer[Broadcast]):
    """The broadcast that goes next."""

    id = IdField()
    scheduled_at = serializers.DateTimeField(read_only=True)


class SeriesSerializer(serializers.ModelSerializer[Series]):
    id = IdField()
    audience = AudienceField(read_only=True)
    status = serializers.ChoiceField(Series.Status.choices, read_only=True)
    repeat = serializers.SerializerMethodField()
    rule = serializers.SerializerMethodField(help_text="The rule in the notation of RFC 5545.")
    next = OccurrenceSerializer(source="next_broadcast", read_only=True, allow_null=True)
    author = AuthorSerializer(read_only=True, allow_null=True)
    etag = ItemTagField()

    class Meta:
        model = Series
        fields = [
            "id", "text", "audience", "status", "repeat", "rule", "next", "author", "created_at", "etag",
        ]  # fmt: skip
        read_only_fields = fields

    def get_repeat(self, series: Series) -> RepeatSerializer:
        shown: Any = RepeatSerializer(Repeat.of(series)).data
        return shown  # type: ignore[no-any-return] # the annotation is for the schema

    def get_rule(self, series: Series) -> str:
        return Repeat.of(series).text(clock_of(series))
