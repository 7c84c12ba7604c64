"""Bodies that change a scheduled text or broadcast. A field without a value stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from koinonia.api.serializers.broadcasts import AudienceField
from koinonia.api.serializers.fields import TextField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.messages import MAX_TEXT_LENGTH, within_bounds
from koinonia.api.serializers.times import InstantField


class ChangedMessageSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    text = TextField(max_length=MAX_TEXT_LENGTH, allow_blank=True, required=False)
    send_at = InstantField(required=False, allow_null=True, help_text="null: now.")

    def validate_send_at(self, when: datetime | None) -> datetime | None:
        return within_bounds(when)


class ChangedBroadcastSerializer(ChangedMessageSerializer):
    audience = AudienceField(required=False)
