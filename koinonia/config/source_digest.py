"""A digest of the source files that make the answers, for every entity tag (``HTTPOPT["RELEASE"]``)."""

from __future__ import annotations

import hashlib
from pathlib import Path

ANSWERING_APPS = ("koinonia", "delivery", "httpopt")
"""The digest covers whole apps: beside views and serializers, models shape the answers."""


def digest_of_sources(*directories: Path) -> str:
    """Return a digest of all Python files below ``directories``.

    Another release never answers 304 for a rendering of this release, and two machines with the
    same release agree.
    """
    digest = hashlib.blake2b(digest_size=8)
    for directory in directories:
        for path in sorted(directory.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
