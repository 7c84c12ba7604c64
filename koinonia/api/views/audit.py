from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from koinonia import audit
from koinonia.api.pagination import NewestFirst
from koinonia.api.serializers.audit import AuditEntrySerializer, AuditQuerySerializer
from koinonia.api.views.base import ReportView
from koinonia.models import AuditEntry, Role


class AuditView(ListModelMixin, ReportView):
    """The acts of the staff: who texted, changed and exported. For owners."""

    read_role = write_role = Role.OWNER
    serializer_class = AuditEntrySerializer
    pagination_class = NewestFirst
    query_serializer = AuditQuerySerializer

    def get_queryset(self) -> QuerySet[AuditEntry]:
        return audit.of_church(self.church, **self.query())

    @extend_schema(parameters=[AuditQuerySerializer])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the acts, newest first."""
        return self.list(request, *args, **kwargs)
