from __future__ import annotations

import re
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from koinonia import audit
from koinonia.api.errors import TooLargeError
from koinonia.api.parsers import CsvParser
from koinonia.api.views.base import ChurchView
from koinonia.member_import.file import import_members
from koinonia.member_import.table import MAX_FILE_BYTES, UnusableFileError

_CHARSET = re.compile(r"charset\s*=\s*\"?([^\";\s]+)", re.IGNORECASE)
_FILE_NAME = re.compile(r"filename\s*=\s*\"?([^\";]+)", re.IGNORECASE)


class LineErrorSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(
        help_text="Where the record starts in the file, from 1: line, sheet row or vCard's line."
    )
    error = serializers.CharField(
        help_text="Why the row is not imported, or a remark that a person must read."
    )


class ImportReportSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    skipped = serializers.IntegerField(
        help_text="Rows that change nothing, and rows whose person has died or is inactive."
    )
    errors = LineErrorSerializer(many=True)  # type: ignore[assignment] # also a property there
    new_groups = serializers.ListField(child=serializers.CharField())
    ignored_columns = serializers.ListField(
        child=serializers.CharField(),
        help_text="Columns and sheets that nothing is taken from, and what was empty in others.",
    )


class ImportFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()


class ImportQuerySerializer(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="`1`: return the same report, but write nothing."
    )
    agreed = serializers.BooleanField(
        required=False,
        default=False,
        help_text="`1`: you say that these people have agreed to get texts. Their logs of consent keep it,"
        " with your name and the name of the file.",
    )
    encoding = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=40,
        help_text="The encoding of a text file, if it is not UTF-8 and has no byte order mark:"
        " `windows-1252`, `windows-1251`, `macintosh`, `cp949`, …",
    )


class MemberImportView(ChurchView):
    """Members from a file of people: CSV, an Excel workbook (.xlsx) or vCards (.vcf)."""

    parser_classes = [MultiPartParser, CsvParser]
    serializer_class = ImportReportSerializer
    query_serializer = ImportQuerySerializer

    @extend_schema(
        parameters=[ImportQuerySerializer],
        request={"multipart/form-data": ImportFileSerializer, "text/csv": {"type": "string"}},
        responses=ImportReportSerializer,
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Import members. The first line names the columns: first_name, last_name, phone, groups (separated by
        `;`), opted_out, or the names that church programs, address books and mailers give them.
        Separators are `,` `;` tab and `|`. All good rows are kept, bad ones are reported by their
        line in the file.

        A number with a new name is created; a known number and name is updated where the spelling
        differs, groups are new or the person opts out, else skipped. An opt-out in the file is
        stored and never cleared. Text in another encoding than UTF-8 needs its `charset`, or
        `?encoding=`; without it the answer is 400 and shows three names as they would read. `?agreed=1`
        writes the agreement of these people into their logs of consent.
        """
        query = self.query()
        content, declared, file_name = _upload(request)
        # A parameter without a value means true.
        dry_run = query["dry_run"] or request.query_params.get("dry_run") == ""
        try:
            report = import_members(
                self.church,
                content,
                now=timezone.now(),
                file_name=file_name,
                encoding=query["encoding"] or declared,
                dry_run=dry_run,
                user=self.user,
                agreed=query["agreed"],
            )
        except UnusableFileError as error:
            raise ValidationError({error.field: [str(error)]}) from error
        if not dry_run:
            counts = {name: getattr(report, name) for name in ("created", "updated", "skipped")}
            audit.record(self.church, self.user, "members.imported", detail=counts)
        return Response(
            {
                "created": report.created,
                "updated": report.updated,
                "skipped": report.skipped,
                "errors": [{"line": line, "error": sentence} for line, sentence in report.errors],
                "new_groups": report.new_groups,
                "ignored_columns": report.ignored_columns,
            }
        )


def _upload(request: Request) -> tuple[bytes, str, str]:
    """Return the file, its declared charset and its name; the last two may be empty."""
    body = request.data
    if hasattr(body, "read"):
        upload = body
        parameter = _CHARSET.search(request.headers.get("Content-Type", ""))
        name = _FILE_NAME.search(request.headers.get("Content-Disposition", ""))
        about = (parameter[1] if parameter else "", name[1] if name else "")
    elif (upload := request.FILES.get("file")) is not None:
        # Django gives the charset of a part as bytes.
        declared = upload.charset or b""
        charset = declared.decode("latin-1") if isinstance(declared, bytes) else declared
        about = (charset, upload.name or "")
    else:
        raise ValidationError({"file": ["A file is needed: CSV, .xlsx or .vcf."]})
    content: bytes = upload.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise TooLargeError(
            f"The file is larger than {MAX_FILE_BYTES // 2**20} MB. Split it, or save it as CSV."
        )
    return (content, *about)
