"""The audit log of a church."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from koinonia import audit, ids
from koinonia.api.serializers.fields import ChoiceField, IdField
from koinonia.models import AuditEntry


class AuditSubjectSerializer(serializers.Serializer[AuditEntry]):
    """The thing that an act changed; ``id`` is null for a thing without an id in the API."""

    kind = serializers.CharField(source="subject_kind", read_only=True)
    id = serializers.SerializerMethodField()
    label = serializers.CharField(  # type: ignore[assignment] # also a name in DRF's Field
        source="subject_label", read_only=True
    )

    def get_id(self, entry: AuditEntry) -> str | None:
        return None if entry.subject_key is None else ids.encode(entry.subject_key)


class AuditEntrySerializer(serializers.Serializer[AuditEntry]):
    id = IdField(source="pk")
    at = serializers.DateTimeField(read_only=True)
    username = serializers.CharField(
        read_only=True, help_text="Empty for an act of the system itself."
    )
    action = serializers.ChoiceField(sorted(audit.ACTIONS), read_only=True)
    subject = AuditSubjectSerializer(source="*", read_only=True)
    detail = serializers.JSONField(read_only=True)


class AuditQuerySerializer(serializers.Serializer[Any]):
    """The query parameters that select acts."""

    username = serializers.CharField(
        required=False, max_length=150, validators=[User.username_validator]
    )
    action = ChoiceField(sorted(audit.ACTIONS), required=False)
