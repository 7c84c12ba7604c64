"""Outgoing webhooks: endpoints, and their deliveries."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from koinonia.api.serializers.acting import ActingMixin
from koinonia.api.serializers.fields import (
    ChoiceField,
    DistinctListField,
    IdField,
    ItemTagField,
    NameField,
)
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.times import InstantField
from koinonia.models import WebhookDelivery, WebhookEndpoint
from koinonia.webhooks import endpoints
from koinonia.webhooks.addresses import LONGEST, reach, refusal
from koinonia.webhooks.event_types import EVENT_TYPES, RESET, TEST

_OWN_TYPES = (TEST, RESET)


class WebhookSerializer(
    ActingMixin, KnownFieldsMixin, serializers.ModelSerializer[WebhookEndpoint]
):
    id = IdField()
    name = NameField()
    url = serializers.CharField(
        max_length=LONGEST, help_text="An https address that is public on the internet."
    )
    types = DistinctListField(
        child=ChoiceField(sorted(EVENT_TYPES)),
        allow_empty=False,
        max_length=len(EVENT_TYPES),
        help_text="The types of events that are sent, as in the realtime protocol.",
    )
    enabled = serializers.BooleanField(
        required=False, help_text="Switched on again, it continues where it stopped."
    )
    off = serializers.ChoiceField(
        WebhookEndpoint.Off.choices,
        read_only=True,
        help_text="Why it is off: `owner`, `gone` (the receiver answered 410), `failing` (no delivery"
        " succeeded for 24 hours); empty while it is on.",
    )
    failing_since = serializers.DateTimeField(
        source="cursor.failing_since",
        read_only=True,
        allow_null=True,
        help_text="The first of the failures since the last success; null: it works.",
    )
    old_secret_until = serializers.SerializerMethodField()
    etag = ItemTagField()

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id", "name", "url", "types", "enabled", "off", "off_since", "failing_since",
            "old_secret_until", "created_at", "etag",
        ]  # fmt: skip
        read_only_fields = ["off_since", "created_at"]

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_old_secret_until(self, endpoint: WebhookEndpoint) -> str | None:
        """Return until when the secret before the last rotation signs too."""
        until = endpoint.old_secret_until
        if until is None:
            return None
        shown: str = serializers.DateTimeField().to_representation(until)
        return shown

    def validate_url(self, url: str) -> str:
        if reason := refusal(url, reach()):
            raise serializers.ValidationError(reason)
        return url

    def create(self, validated_data: dict[str, Any]) -> WebhookEndpoint:
        now = timezone.now()
        given = {name: validated_data[name] for name in ("name", "url", "types")}
        try:
            made = endpoints.add(self.context["church"], self._user(), **given, now=now)
        except endpoints.WebhookRefusedError as error:
            raise serializers.ValidationError({"non_field_errors": [str(error)]}) from None
        endpoints.switch(made, on=validated_data.get("enabled", True), now=now)
        return made

    def update(self, instance: WebhookEndpoint, validated_data: dict[str, Any]) -> WebhookEndpoint:
        now = timezone.now()
        given = {name: validated_data[name] for name in ("name", "types") if name in validated_data}
        for name, value in given.items():
            setattr(instance, name, value)
        if given:
            instance.save(update_fields=list(given))
        if "url" in validated_data:
            endpoints.change_address(instance, validated_data["url"], now)
        if "enabled" in validated_data:
            endpoints.switch(instance, on=validated_data["enabled"], now=now)
        self.record("webhook.changed", instance, validated_data)
        return instance


class MadeWebhookSerializer(WebhookSerializer):
    """A webhook with its secret."""

    secret = serializers.CharField(read_only=True, help_text="Verifies the signatures: `whsec_…`.")

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class WebhookDeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    id = IdField()
    event_id = serializers.CharField(read_only=True, help_text="The header `webhook-id`.")
    type = serializers.ChoiceField([*sorted(EVENT_TYPES), *_OWN_TYPES], read_only=True)
    state = serializers.ChoiceField(WebhookDelivery.State.choices, read_only=True)
    error = serializers.CharField(
        read_only=True,
        help_text="Why the last attempt failed: `status`, `timeout`, `no_connection`, `connection_broken`,"
        " `tls_failed`, `host_unknown`, `host_refused`; empty after a success.",
    )

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "event_id", "type", "seq", "state", "attempts", "status", "error", "excerpt",
            "seconds", "created_at", "tried_at", "next_at",
        ]  # fmt: skip
        read_only_fields = fields


class DeliveriesQuerySerializer(serializers.Serializer[Any]):
    """The query parameter that selects deliveries."""

    state = ChoiceField(WebhookDelivery.State.choices, required=False)


class RedeliverSinceSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    since = InstantField()

    def validate_since(self, since: Any) -> Any:
        if since > timezone.now():
            raise serializers.ValidationError(_("This time has not come yet."))
        return since


class RedeliveredSerializer(serializers.Serializer[Any]):
    events = serializers.IntegerField(read_only=True, help_text="Events of all types since then.")
