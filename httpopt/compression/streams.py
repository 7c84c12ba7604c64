"""Coding a stream chunk by chunk: what was put in can be read at the other end at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

from httpopt import conf
from httpopt.compression.codecs import StreamCoder, stream_coder
from httpopt.compression.negotiation import Coding


def code_stream(response: StreamingHttpResponse, coding: Coding) -> None:
    coder = stream_coder(coding)
    chunks = response.streaming_content
    if response.is_async:
        response.streaming_content = _coded_async(chunks, coder)  # type: ignore[arg-type] # is_async tells which of the two it is
    else:
        response.streaming_content = _coded(chunks, coder)  # type: ignore[arg-type] # is_async tells which of the two it is


def _coded(chunks: Iterator[bytes], coder: StreamCoder) -> Iterator[bytes]:
    for chunk in chunks:
        if chunk:
            yield coder.chunk(chunk)
    yield coder.end()


async def _coded_async(chunks: AsyncIterator[bytes], coder: StreamCoder) -> AsyncIterator[bytes]:
    off_loop = sync_to_async(coder.chunk, thread_sensitive=False)
    async for chunk in chunks:
        if len(chunk) > conf.off_loop_bytes():
            yield await off_loop(chunk)
        elif chunk:
            yield coder.chunk(chunk)
    yield coder.end()
