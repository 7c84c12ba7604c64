"""Parse and compare entity tags (RFC 9110, section 8.8.3).

A proxy that compresses changes our tags. It weakens them (nginx, HAProxy, Varnish, IIS, Cloudflare,
CloudFront) or adds a suffix (``-gzip`` and ``-br`` of Apache, Caddy and Spring, ``--gzip`` of Jetty,
``;gz`` of LiteSpeed, ``-df`` of Traffic Server); two proxies in a row do both. A client sends back the
tag that it received. Our own tags are therefore parsed without the suffix, and weak ones are accepted
(docs/decisions/0025).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.http.response import HttpResponseBase

MAX_LENGTH = 8192
"""A longer If-Match or If-None-Match counts as malformed."""

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_GAP = re.compile(r"[ \t,]*")
_OWN = re.compile(r'"[^"]*-[\w-]+\.[igbz]"')
_OWN_WITH_SUFFIX = re.compile(
    r"(?P<own>[0-9]{1,18}|[0-9a-z.]+-[\w-]+\.[igbz])"
    r"(?:(?:--?|[;:])(?:x-)?(?:gzip|gz|br|brotli|zstd|zst|deflate|df)){1,3}"
)


class MalformedTagsError(ValueError):
    """A value that is not ``*`` and not a list of entity tags."""


@dataclass(frozen=True, slots=True)
class ETag:
    opaque: str
    weak: bool = False

    def __str__(self) -> str:
        return f'{"W/" if self.weak else ""}"{self.opaque}"'

    def is_weakly(self, other: ETag) -> bool:
        """Compare without regard to weakness (RFC 9110, 8.8.3.2)."""
        return self.opaque == other.opaque


ANY: Final = "*"
Tags = tuple[ETag, ...] | str
"""A list of tags, or ``ANY``."""


def parse_tags(value: str) -> Tags:
    """Parse the value of If-Match or If-None-Match; raise MalformedTagsError."""
    if len(value) > MAX_LENGTH:
        raise MalformedTagsError(f"It is longer than {MAX_LENGTH} characters.")
    value = value.strip(" \t")
    return ANY if value == ANY else _parse_list(value)


def _parse_list(value: str) -> tuple[ETag, ...]:
    tags = []
    position = _skip(value, 0)
    while position < len(value):
        match = _TAG.match(value, position)
        if match is None:
            raise MalformedTagsError("It is not a list of quoted entity tags.")
        tags.append(ETag(_without_suffix(match[2]), weak=match[1] is not None))
        position = _skip(value, match.end())
        if position < len(value) and "," not in value[match.end() : position]:
            raise MalformedTagsError("Its entity tags are not separated by commas.")
    if not tags:
        raise MalformedTagsError("It has no entity tag.")
    return tuple(tags)


def _without_suffix(opaque: str) -> str:
    """Remove the suffix of a proxy from a tag of our form; return other tags unchanged."""
    match = _OWN_WITH_SUFFIX.fullmatch(opaque)
    return match["own"] if match else opaque


def _skip(value: str, position: int) -> int:
    match = _GAP.match(value, position)
    return match.end() if match else position


def weaken_foreign_tag(response: HttpResponseBase) -> None:
    """Weaken a strong tag without a coding, because two codings would share it (8.8.1)."""
    tag = response.get("ETag")
    if tag and tag.startswith('"') and not _OWN.fullmatch(tag):
        response.headers["ETag"] = f"W/{tag}"
