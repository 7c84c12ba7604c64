"""Encode bodies and streams. Each body gets a new compressor: sharing one between threads is a race."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

import brotli
from asgiref.sync import sync_to_async
from backports import zstd
from django.http import StreamingHttpResponse

from httpopt import conf
from httpopt.compression.negotiation import Coding

# Higher levels save few bytes for their time.
_GZIP_LEVEL = 6
_BR_QUALITY = 5
_ZSTD_LEVEL = 3
_GZIP_FORMAT = zlib.MAX_WBITS | 16


class StreamEncoder(Protocol):
    """Encodes a stream so that a client can decode each chunk on arrival."""

    def chunk(self, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        # The header has no time, because a strong tag needs the same bytes for the same body.
        self._compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)

    def chunk(self, data: bytes) -> bytes:
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._compressor.flush()


class _Br:
    def __init__(self) -> None:
        self._compressor = brotli.Compressor(quality=_BR_QUALITY)

    def chunk(self, data: bytes) -> bytes:
        encoded: bytes = self._compressor.process(data) + self._compressor.flush()
        return encoded

    def end(self) -> bytes:
        encoded: bytes = self._compressor.finish()
        return encoded


class _Zstd:
    def __init__(self) -> None:
        self._compressor = zstd.ZstdCompressor(level=_ZSTD_LEVEL)

    def chunk(self, data: bytes) -> bytes:
        return self._compressor.compress(data, mode=zstd.ZstdCompressor.FLUSH_BLOCK)

    def end(self) -> bytes:
        return self._compressor.flush()


_STREAMS: dict[Coding, type[StreamEncoder]] = {
    Coding.GZIP: _Gzip,
    Coding.BR: _Br,
    Coding.ZSTD: _Zstd,
}


def encode(coding: Coding, body: bytes) -> bytes:
    """Encode a whole body; the same body always gives the same bytes."""
    if coding is Coding.ZSTD:
        return zstd.compress(body, level=_ZSTD_LEVEL)
    if coding is Coding.BR:
        encoded: bytes = brotli.compress(body, mode=brotli.MODE_TEXT, quality=_BR_QUALITY)
        return encoded
    compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)
    return compressor.compress(body) + compressor.flush()


def encode_stream(response: StreamingHttpResponse, coding: Coding) -> None:
    """Replace the chunks of a response by encoded chunks."""
    encoder = _STREAMS[coding]()
    chunks = response.streaming_content
    if response.is_async:
        response.streaming_content = _encoded_async(chunks, encoder)  # type: ignore[arg-type] # is_async tells which kind of iterator it is
    else:
        response.streaming_content = _encoded(chunks, encoder)  # type: ignore[arg-type] # is_async tells which kind of iterator it is


def _encoded(chunks: Iterator[bytes], encoder: StreamEncoder) -> Iterator[bytes]:
    for chunk in chunks:
        if chunk:
            yield encoder.chunk(chunk)
    yield encoder.end()


async def _encoded_async(
    chunks: AsyncIterator[bytes], encoder: StreamEncoder
) -> AsyncIterator[bytes]:
    off_loop = sync_to_async(encoder.chunk, thread_sensitive=False)
    async for chunk in chunks:
        if len(chunk) > conf.off_loop_bytes():
            yield await off_loop(chunk)
        elif chunk:
            yield encoder.chunk(chunk)
    yield encoder.end()
