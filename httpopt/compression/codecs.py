"""Making the codings. A new compressor for each body: they are not safe to share by threads."""

from __future__ import annotations

import zlib
from typing import Protocol

import brotli
from backports import zstd

from httpopt.compression.negotiation import Coding

# Cheapest levels past which the bytes saved are no longer worth the time.
_GZIP_LEVEL = 6
_BR_QUALITY = 5
_ZSTD_LEVEL = 3
_GZIP_FORMAT = zlib.MAX_WBITS | 16


class StreamCoder(Protocol):
    """Codes a stream so that each chunk can be decoded as soon as it is there."""

    def chunk(self, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        # No time in the header: the same body must give the same bytes under a strong tag.
        self._compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)

    def chunk(self, data: bytes) -> bytes:
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._compressor.flush()


class _Br:
    def __init__(self) -> None:
        self._compressor = brotli.Compressor(quality=_BR_QUALITY)

    def chunk(self, data: bytes) -> bytes:
        coded: bytes = self._compressor.process(data) + self._compressor.flush()
        return coded

    def end(self) -> bytes:
        coded: bytes = self._compressor.finish()
        return coded


class _Zstd:
    def __init__(self) -> None:
        self._compressor = zstd.ZstdCompressor(level=_ZSTD_LEVEL)

    def chunk(self, data: bytes) -> bytes:
        return self._compressor.compress(data, mode=zstd.ZstdCompressor.FLUSH_BLOCK)

    def end(self) -> bytes:
        return self._compressor.flush()


_STREAMS: dict[Coding, type[StreamCoder]] = {
    Coding.GZIP: _Gzip,
    Coding.BR: _Br,
    Coding.ZSTD: _Zstd,
}


def stream_coder(coding: Coding) -> StreamCoder:
    return _STREAMS[coding]()


def code(coding: Coding, body: bytes) -> bytes:
    """The whole body in one coding; the same bytes for the same body, always."""
    if coding is Coding.ZSTD:
        return zstd.compress(body, level=_ZSTD_LEVEL)
    if coding is Coding.BR:
        coded: bytes = brotli.compress(body, mode=brotli.MODE_TEXT, quality=_BR_QUALITY)
        return coded
    compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)
    return compressor.compress(body) + compressor.flush()
