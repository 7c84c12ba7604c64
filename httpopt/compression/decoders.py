"""Decode content codings piece by piece, in constant memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

import brotli
from backports import zstd

PIECE = 64 * 1024
"""The approximate limit of the bytes that one call returns."""
_LARGEST_WINDOW: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
"""8 MiB, as RFC 8878 (3.1.1.1.2) recommends; a larger window would let a client use up memory."""

_MOST_PARTS = 1_000
"""Members of gzip or frames of zstd. Each costs a decoder, even an empty one."""


class UndecodableError(ValueError):
    """Bytes that are not in the declared coding."""


class _Parts:
    """A count of the parts of one body."""

    def __init__(self) -> None:
        self._count = 0

    def begin_another(self) -> None:
        self._count += 1
        if self._count >= _MOST_PARTS:
            raise UndecodableError(f"It has more than {_MOST_PARTS} parts.")


class Decoder(Protocol):
    has_more: bool
    """True if ``decode(b"")`` can return more bytes; then give it no new data."""
    is_complete: bool
    """True if the data given so far is a complete body."""

    def decode(self, data: bytes) -> bytes:
        """Return up to about :data:`PIECE` bytes. Raises :class:`UndecodableError`."""


class _Zlib:
    """gzip of any number of members (RFC 1952, 2.2), or deflate."""

    def __init__(self, format: int, *, members: bool) -> None:  # noqa: A002 -- zlib calls it wbits
        self._format = format
        self._members = members
        self._parts = _Parts()
        self._inflate = zlib.decompressobj(format)
        self._rest = b""
        self.has_more = False
        self.is_complete = True

    def decode(self, data: bytes) -> bytes:
        data = self._rest + data
        if self._inflate.eof and data:
            if not self._members:
                raise UndecodableError("There are bytes after the end.")
            self._parts.begin_another()
            self._inflate = zlib.decompressobj(self._format)
        try:
            decoded = self._inflate.decompress(data, PIECE)
        except zlib.error as error:
            raise UndecodableError(str(error)) from error
        self._rest = self._inflate.unconsumed_tail or self._inflate.unused_data
        self.has_more = bool(self._rest) or len(decoded) == PIECE
        self.is_complete = self._inflate.eof and not self._rest
        return decoded


class _Deflate:
    """zlib's format (RFC 9110, 8.4.1.2), or raw deflate, which some clients send instead."""

    has_more = False
    is_complete = True

    def __init__(self) -> None:
        self._inner: _Zlib | None = None

    def decode(self, data: bytes) -> bytes:
        if self._inner is None:
            has_header = len(data) < 2 or (
                data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
            )
            self._inner = _Zlib(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS, members=False)
        decoded = self._inner.decode(data)
        self.has_more, self.is_complete = self._inner.has_more, self._inner.is_complete
        return decoded


class _Br:
    has_more = False
    is_complete = True

    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()

    def decode(self, data: bytes) -> bytes:
        try:
            decoded: bytes = self._decompressor.process(data, output_buffer_limit=PIECE)
        except brotli.error as error:
            raise UndecodableError(str(error)) from error
        self.is_complete = self._decompressor.is_finished()
        self.has_more = not self.is_complete and not self._decompressor.can_accept_more_data()
        return decoded


class _Zstd:
    """Any number of frames (RFC 8878, 3.1)."""

    has_more = False
    is_complete = True

    def __init__(self) -> None:
        self._decompressor = zstd.ZstdDecompressor(options=_LARGEST_WINDOW)
        self._parts = _Parts()

    def decode(self, data: bytes) -> bytes:
        if self._decompressor.eof:
            data = self._decompressor.unused_data + data
            self._parts.begin_another()
            self._decompressor = zstd.ZstdDecompressor(options=_LARGEST_WINDOW)
        try:
            decoded = self._decompressor.decompress(data, max_length=PIECE)
        except zstd.ZstdError as error:
            raise UndecodableError(str(error)) from error
        ended, rest = self._decompressor.eof, self._decompressor.unused_data
        self.is_complete = ended and not rest
        self.has_more = bool(rest) if ended else not self._decompressor.needs_input
        return decoded


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": lambda: _Zlib(zlib.MAX_WBITS | 16, members=True),
    "br": _Br,
    "zstd": _Zstd,
    "deflate": _Deflate,
}
ACCEPTED = ", ".join(_DECODERS)
"""The value of ``Accept-Encoding`` in an answer (RFC 9110, 12.5.3)."""


def is_known(coding: str) -> bool:
    return coding in _DECODERS


def decoder(coding: str) -> Decoder:
    return _DECODERS[coding]()
