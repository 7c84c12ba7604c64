"""What ``collectstatic`` writes: files with hashed names, and their compressed copies.

A web process may read the directory meanwhile. A file appears complete, under a name that is not
used again for other bytes, and a file that is there already is left alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import brotli
from django.core.files.base import ContentFile, File
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

from koinonia.http import static_leftovers

HASHED_NAME = r"\.[0-9a-f]{12}\."


_SMALL = 64_000
"""Bytes of a file that takes the best quality of Brotli: the pages of the office have no larger one."""


class QuickCompressor(Compressor):  # type: ignore[misc]  # whitenoise is untyped
    """Brotli at quality 11 for small files, and 6 for large ones.

    For all 362 small files quality 11 takes a second and saves 8 per cent; for the large ones, which are
    the API's reference, it takes half a minute.
    """

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        compressed: bytes = brotli.compress(data, quality=11 if len(data) <= _SMALL else 6)
        return compressed

    def compress(self, path: str) -> list[str]:
        """Write the compressed copies, unless they were made from this version of the file."""
        if _modified(f"{path}.br") == _modified(f"{path}.gz") == _modified(path):
            return []
        written: list[str] = super().compress(path)
        return written

    def write_data(self, path: str, data: bytes, suffix: str, stat_result: os.stat_result) -> str:
        name = f"{path}{suffix}"
        # The time says which version of the file the copy was made from.
        _replace(Path(name), data, (stat_result.st_atime_ns, stat_result.st_mtime_ns))
        return name


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """Names with the hash of their content; plain names until ``collectstatic`` has run."""

    # Modules of the console import by the hashed names.
    support_js_module_import_aggregation = True
    # Django needs a pass for each step of the longest chain of imports, and stops after five.
    max_post_process_passes = 20

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Django saves and deletes a module in each pass. Only what the last pass leaves is written.
        self._hashed: dict[str, bytes] = {}

    def stored_name(self, name: str) -> str:
        stored: str = super().stored_name(name) if self.hashed_files else name
        return stored

    def url_converter(self, *arguments: Any) -> Callable[[re.Match[str]], str]:
        # Django 6.1 passes one argument more than 5.2: the comments to leave alone.
        convert: Callable[[re.Match[str]], str] = super().url_converter(*arguments)

        def convert_imports_only(found: re.Match[str]) -> str:
            # JSDoc names a type of another module as {import("./other.js").Type}. That is not an
            # import, and it may be circular.
            is_a_type = found.string[: found.start()].endswith("{")
            return found["matched"] if is_a_type else convert(found)

        return convert_imports_only

    def create_compressor(self, **options: Any) -> Compressor:
        return QuickCompressor(**options)

    def post_process(self, *arguments: Any, **options: Any) -> Any:
        self._hashed.clear()
        yield from super().post_process(*arguments, **options)

    def save_manifest(self) -> None:
        """Write the hashed files, and only then the manifest that names them."""
        for name, content in self._hashed.items():
            self._write(name, content)
        self._hashed.clear()
        super().save_manifest()
        now = datetime.now(UTC)
        static_leftovers.remove(Path(self.location), self.hashed_files.values(), now)

    def exists(self, name: str) -> bool:
        # A file on disk may be incomplete: what is hashed now is compared with it.
        if _is_hashed(name):
            return name in self._hashed
        found: bool = super().exists(name)
        return found

    def delete(self, name: str) -> None:
        if _is_hashed(name):
            self._hashed.pop(name, None)
        elif name != self.manifest_name:  # The manifest is replaced, never missing.
            super().delete(name)

    def _save(self, name: str, content: File[bytes]) -> str:
        if _is_hashed(name):
            content.seek(0)
            self._hashed[name] = content.read()
        elif name == self.manifest_name and isinstance(content, ContentFile):
            self._write(name, content.read())
        else:
            saved: str = super()._save(name, content)
            return saved
        return name

    def _write(self, name: str, content: bytes) -> None:
        place = Path(self.path(name))
        if not (place.is_file() and place.read_bytes() == content):
            place.parent.mkdir(parents=True, exist_ok=True)
            _replace(place, content)


def _is_hashed(name: str) -> bool:
    return re.search(HASHED_NAME, name) is not None


def _modified(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return None


def _replace(place: Path, content: bytes, times: tuple[int, int] | None = None) -> None:
    """Write the file beside its place, and move it there when it is complete."""
    new = place.with_name(f".{place.name}.{os.getpid()}.new")
    new.write_bytes(content)
    if times is not None:
        os.utime(new, ns=times)
    new.replace(place)
