"""CSV that is sent while it is written, so that a long list needs little memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def streamed_csv(request: HttpRequest, parts: Iterator[str], name: str) -> StreamingHttpResponse:
    """Return an answer of these parts, saved by browsers as a file with this name."""
    return StreamingHttpResponse(
        _in_threads(parts) if isinstance(request, ASGIRequest) else parts,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


async def _in_threads(parts: Iterator[str]) -> AsyncIterator[str]:
    """Yield the parts, each read in a thread: Django would collect a synchronous iterator first."""
    following = sync_to_async(lambda: next(parts, ""))
    while part := await following():
        yield part
