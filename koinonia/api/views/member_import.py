from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from koinonia.api.errors import TooLargeError
from koinonia.api.parsers import CsvParser
from koinonia.api.views.base import ChurchView
from koinonia.member_import.apply import import_members
from koinonia.member_import.records import UnusableFileError

LARGEST_FILE = 5 * 2**20


class LineErrorSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(help_text="Where the record starts in the file, from 1.")
    error = serializers.CharField()


class ImportReportSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    skipped = serializers.IntegerField()
    errors = LineErrorSerializer(many=True)  # type: ignore[assignment] # also a property there


class ImportFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()


class MemberImportView(ChurchView):
    """Members from a CSV file."""

    parser_classes = [MultiPartParser, CsvParser]
    serializer_class = ImportReportSerializer

    @extend_schema(
        request={
            "multipart/form-data": ImportFileSerializer,
            "text/csv": {"type": "string", "format": "binary"},
        },
        responses=ImportReportSerializer,
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Columns first_name, last_name, phone and groups (separated by `;`), in UTF-8 or
        Windows-1252. All good lines are kept, bad ones are reported by their line in the file.

        A new number is created; a known one is updated where its names differ or groups are new,
        else skipped. Of a number that comes twice in the file, the later line counts.
        """
        try:
            report = import_members(self.church, _content(request), now=timezone.now())
        except UnusableFileError as error:
            raise ValidationError({"file": [str(error)]}) from error
        errors = [{"line": line, "error": told} for line, told in report.errors]
        return Response(
            {"created": report.created, "updated": report.updated, "skipped": report.skipped,
             "errors": errors}
        )  # fmt: skip


def _content(request: Request) -> bytes:
    body = request.data
    if hasattr(body, "read"):
        upload = body
    elif (upload := request.FILES.get("file")) is None:
        raise ValidationError({"file": ["A CSV file is needed."]})
    content: bytes = upload.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise TooLargeError("The file is larger than 5 MB.")
    return content
