"""Bodies, with bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser

from koinonia.api import bounded_json
from koinonia.api.errors import TooLargeError


class BoundedJSONParser(JSONParser):
    """JSON of at most ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes, in the bounds of ``bounded_json``.

    It is UTF-8 (RFC 8259, section 8.1). A ``charset`` is ignored: section 11 defines none, and some
    of Python's codecs unpack.
    """

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return bounded_json.loads(_Bounded(stream, settings.DATA_UPLOAD_MAX_MEMORY_SIZE).read())
        except bounded_json.UnusableJsonError as error:
            raise ParseError(f"The body cannot be read as JSON. {error}") from None


class CsvParser(BaseParser):
    """The raw bytes of a ``text/csv`` body; whoever reads them bounds them."""

    media_type = "text/csv"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return stream


class _Bounded:
    """A stream that fails instead of filling the memory."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        wanted = self._left + 1 if size < 0 else min(size, self._left + 1)
        data: bytes = self._stream.read(wanted)
        self._left -= len(data)
        if self._left < 0:
            raise TooLargeError
        return data
