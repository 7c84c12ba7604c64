from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from delivery.models import BreakerState
from delivery.status_report import report
from koinonia.api.views.base import ReportView
from koinonia.models import Broadcast
from koinonia.zones import zone_named


class BreakerSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(BreakerState.choices)
    until = serializers.DateTimeField(allow_null=True)


class HoldSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    since = serializers.DateTimeField()


class DaySerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    sent = serializers.IntegerField()
    delivered = serializers.IntegerField()
    failed = serializers.IntegerField()
    dead = serializers.IntegerField()


class SpendSerializer(serializers.Serializer[Any]):
    parts = serializers.IntegerField(help_text="Message parts that count against the daily cap.")
    cap = serializers.IntegerField(allow_null=True, help_text="Parts in 24 hours; null: no cap.")
    until = serializers.DateTimeField(
        allow_null=True, help_text="When the next waiting text can go; null: none waits."
    )


class DeliverySerializer(serializers.Serializer[Any]):
    breaker = BreakerSerializer()
    hold = HoldSerializer(allow_null=True)
    queue = serializers.DictField(child=serializers.IntegerField())
    oldest_due_seconds = serializers.IntegerField(allow_null=True)
    success_rate = serializers.DictField(child=serializers.FloatField(allow_null=True))
    days = DaySerializer(many=True)
    spend = SpendSerializer()


class DeliveryView(ReportView):
    """The state of sending."""

    @extend_schema(responses=DeliverySerializer)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Report the breaker and hold of the account, and the queue and counts of the church."""
        zone = zone_named(self.church.timezone)
        found = report(self.church.pk, now=timezone.now(), zone=zone)
        # A scheduled broadcast has no messages yet.
        found["queue"]["scheduled"] += Broadcast.objects.filter(church=self.church).forecast()
        return Response(DeliverySerializer(found).data)
