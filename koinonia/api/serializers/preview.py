"""The preview of a broadcast."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from delivery.models import Encoding
from koinonia.api.serializers.broadcasts import AudienceField, LeftOutSerializer
from koinonia.api.serializers.fields import TextField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.messages import (
    MAX_TEXT_LENGTH,
    MediaUrlsField,
    NamedSerializer,
    within_bounds,
)
from koinonia.api.serializers.times import InstantField
from koinonia.broadcasts.preview import EXAMPLES
from koinonia.broadcasts.renderings import MAX_NAMED


class PreviewRequestSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    text = TextField(max_length=MAX_TEXT_LENGTH)
    audience = AudienceField()
    send_at = InstantField(required=False, allow_null=True, default=None)
    media_urls = MediaUrlsField()

    def validate_send_at(self, when: datetime | None) -> datetime | None:
        return within_bounds(when)


class CharacterSerializer(serializers.Serializer[Any]):
    """A character that makes a text cost more parts, with a plain replacement."""

    character = serializers.CharField()
    name = serializers.CharField(help_text="The name of the character in Unicode.")
    count = serializers.IntegerField()
    plain = serializers.CharField(allow_null=True)


class RenderingSerializer(serializers.Serializer[Any]):
    """The text as one member reads it."""

    member = NamedSerializer()
    text = serializers.CharField()
    encoding = serializers.ChoiceField(Encoding.choices, source="measured.encoding")
    parts = serializers.IntegerField(source="measured.parts")


class QuietSerializer(serializers.Serializer[Any]):
    waiting = serializers.IntegerField()
    until = serializers.DateTimeField(
        allow_null=True, help_text="When the last of them may go; null: none waits."
    )


class PreviewSerializer(serializers.Serializer[Any]):
    people = serializers.IntegerField(
        help_text="Numbers that would get the text. Not counted: duplicates, opt-outs, texts that are too"
        " long, and numbers in blocked countries or ranges."
    )
    opted_out = serializers.IntegerField()
    doubles = serializers.IntegerField(
        help_text="Members whose number is texted under another member's name."
    )
    parts = serializers.IntegerField(help_text="The parts of all texts together.")
    cost = serializers.DecimalField(
        max_digits=None, decimal_places=None, allow_null=True,
        help_text="Null if no price per part is set.",
    )  # fmt: skip
    seconds = serializers.IntegerField(
        allow_null=True, help_text="Duration at the rate of the church's number; null: no limit."
    )
    dearest = RenderingSerializer(
        allow_null=True,
        help_text="The most expensive text, or one that is too long if there is any.",
    )
    characters = CharacterSerializer(
        many=True, help_text="The characters that add parts to the `dearest` text."
    )
    left_out = LeftOutSerializer(many=True, source="named", help_text=f"At most {MAX_NAMED}.")
    left_out_total = serializers.IntegerField()
    examples = RenderingSerializer(
        many=True, help_text=f"The texts of at most {EXAMPLES} members that get one."
    )
    quiet = QuietSerializer(help_text="The texts that wait for the end of the quiet hours.")
    done_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When the last text leaves at the rate of the church's number; null: no limit.",
    )
