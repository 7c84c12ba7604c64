"""The OpenAPI schema: generated once per release, kept as a file in ``DATA_DIR``, served from memory.

The generation takes a second of CPU, and drf-spectacular fails if two threads generate at once. So
one thread of one process generates the schema under a lock, and all others read the file.
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
_LIBRARIES = ("django", "djangorestframework", "drf-spectacular")
_KEPT_RELEASES = 8
"""More than one, because two releases run at the same time during a deployment."""
_one_at_a_time = Lock()


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema in one format (``yaml`` or ``json``) and one content coding."""

    body: bytes
    digest: str
    """The digest of the uncoded bytes, for the entity tag."""


def schema(format: str, coding: Coding) -> Schema:  # noqa: A002 -- as DRF's renderers call it
    """Return the schema of this release."""
    return _coded(format, coding, _release())


@lru_cache(maxsize=len(_RENDERERS) * len(Coding))
def _coded(name: str, coding: Coding, release: str) -> Schema:
    plain = _plain(name, release)
    body = plain if coding is Coding.IDENTITY else encode(coding, plain)
    return Schema(body, hashlib.blake2b(plain, digest_size=9).hexdigest())


def _release() -> str:
    """Return a hash of our sources, the libraries and the settings: the schema depends on these."""
    parts = [str(settings.HTTPOPT["RELEASE"]), repr(settings.SPECTACULAR_SETTINGS)]
    parts += [version(name) for name in _LIBRARIES]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


def _plain(name: str, release: str) -> bytes:
    with _one_at_a_time:
        return _read(name, release) or _generate_files(release)[name]


def _generate_files(release: str) -> dict[str, bytes]:
    """Generate all formats at once, or read the files of another process that was faster."""
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
        # Rename the complete file, so that no process reads half of it.
        begun = directory / f"{release}.{name}.{os.getpid()}"
        begun.write_bytes(body)
        begun.replace(directory / f"{release}.{name}")
    kept = sorted(directory.glob("*.*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[_KEPT_RELEASES * len(_RENDERERS) :]:
        path.unlink(missing_ok=True)


@contextmanager
def _locked_directory() -> Iterator[Path | None]:
    """Lock the directory against other processes and yield it. Yield None if it is not writable."""
    directory = Path(settings.SCHEMA_DIR)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (directory / "lock").open("wb")
    except OSError as error:
        extra = {"action": "schema_not_kept"}
        logger.warning("The API schema cannot be kept in %s: %s", directory, error, extra=extra)
        yield None
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory
