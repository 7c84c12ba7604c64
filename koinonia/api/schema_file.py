"""The OpenAPI schema: made once per release, kept as a file in ``DATA_DIR``, served from memory.

To make it costs a second of CPU, and drf-spectacular raises where two threads do it at once. So one
thread of one process makes it, under a lock, and every other reads the file.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from httpopt.compression.encoders import encode
from httpopt.compression.negotiation import Coding

logger = logging.getLogger(__name__)

_RENDERERS: dict[str, Any] = {"yaml": OpenApiYamlRenderer, "json": OpenApiJsonRenderer}
_MAKERS = ("django", "djangorestframework", "drf-spectacular")
_KEPT = 8
"""Files of so many releases stay: two may run side by side while one replaces the other."""
_one_at_a_time = Lock()


@dataclass(frozen=True, slots=True)
class Schema:
    """The bytes of the schema in one format (``yaml`` or ``json``) and one coding."""

    body: bytes
    digest: str
    """Of the uncoded bytes: a part of the entity tag."""


def schema(format: str, coding: Coding) -> Schema:  # noqa: A002 -- as DRF's renderers call it
    """Return the schema of this release."""
    return _coded(format, coding, _release())


@lru_cache(maxsize=len(_RENDERERS) * len(Coding))
def _coded(name: str, coding: Coding, release: str) -> Schema:
    plain = _plain(name, release)
    body = plain if coding is Coding.IDENTITY else encode(coding, plain)
    return Schema(body, hashlib.blake2b(plain, digest_size=9).hexdigest())


def _release() -> str:
    """Return a hash of all that the schema depends on: our sources, the libraries, the settings."""
    parts = [str(settings.HTTPOPT["RELEASE"]), repr(settings.SPECTACULAR_SETTINGS)]
    parts += [version(name) for name in _MAKERS]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


def _plain(name: str, release: str) -> bytes:
    with _one_at_a_time:
        return _read(name, release) or _make(release)[name]


def _make(release: str) -> dict[str, bytes]:
    """Make all formats in one generation, or take those of another process that was faster."""
    with _locked_directory() as directory:
        kept = {name: _read(name, release) for name in _RENDERERS}
        made = {name: body for name, body in kept.items() if body}
        if len(made) < len(_RENDERERS):
            made = _generate()
            if directory:
                _write(directory, release, made)
        return made


def _generate() -> dict[str, bytes]:
    data: Any = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call] # drf-spectacular's
        request=None, public=True
    )
    return {name: renderer().render(data, None, {}) for name, renderer in _RENDERERS.items()}


def _read(name: str, release: str) -> bytes | None:
    try:
        return (Path(settings.SCHEMA_DIR) / f"{release}.{name}").read_bytes() or None
    except OSError:
        return None


def _write(directory: Path, release: str, made: dict[str, bytes]) -> None:
    for name, body in made.items():
        # Renamed when complete: nobody reads half a file.
        begun = directory / f"{release}.{name}.{os.getpid()}"
        begun.write_bytes(body)
        begun.replace(directory / f"{release}.{name}")
    kept = sorted(directory.glob("*.*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[_KEPT * len(_RENDERERS) :]:
        path.unlink(missing_ok=True)


@contextmanager
def _locked_directory() -> Iterator[Path | None]:
    """Yield the directory, locked against other processes; None where it cannot be written."""
    directory = Path(settings.SCHEMA_DIR)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (directory / "lock").open("wb")
    except OSError as error:
        logger.warning("The API schema cannot be kept in %s: %s", directory, error)
        yield None
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory
