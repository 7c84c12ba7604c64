"""Which content coding a client wants (RFC 9110, section 12.5.3)."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

MAX_LENGTH = 1024
"""A longer Accept-Encoding is ignored: no client needs one."""


class Coding(StrEnum):
    """The codings on offer; the later, the better where a client likes two alike."""

    IDENTITY = "identity"
    GZIP = "gzip"
    BR = "br"
    ZSTD = "zstd"

    @property
    def suffix(self) -> str:
        """The letter that ends the entity tag of a representation in this coding."""
        return _SUFFIXES[self]


_SUFFIXES = {Coding.IDENTITY: "i", Coding.GZIP: "g", Coding.BR: "b", Coding.ZSTD: "z"}
_ALIASES = {"x-gzip": "gzip"}
_ELEMENT = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)"
    r"(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?[ \t]*"
)
# Identity is acceptable unless refused, and anything that was asked for comes before it.
_UNLISTED_IDENTITY = 0.0005


def negotiate(accept_encoding: str | None) -> Coding:
    """The best coding for this header's value. Elements that are not well formed are ignored."""
    if accept_encoding is None or len(accept_encoding) > MAX_LENGTH:
        return Coding.IDENTITY
    return _best(accept_encoding)


def weight_of(coding: Coding, accept_encoding: str | None) -> float:
    """Return how much a client likes ``coding``, from 0 (not acceptable) to 1."""
    if accept_encoding is None or len(accept_encoding) > MAX_LENGTH:
        return 1.0 if coding is Coding.IDENTITY else 0.0
    return _weight(coding, _weights(accept_encoding))


@lru_cache(maxsize=512)
def _best(accept_encoding: str) -> Coding:
    weights = _weights(accept_encoding)
    ranked = [(_weight(coding, weights), place) for place, coding in enumerate(Coding)]
    weight, place = max(ranked)
    return list(Coding)[place] if weight > 0 else Coding.IDENTITY


def _weights(accept_encoding: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for element in accept_encoding.split(","):
        match = _ELEMENT.fullmatch(element)
        if match is None:
            continue
        name = match[1].lower()
        name = _ALIASES.get(name, name)
        weight = float(match[2] or 1)
        # Named twice: a refusal is not undone.
        weights[name] = min(weight, weights.get(name, weight))
    return weights


def _weight(coding: Coding, weights: dict[str, float]) -> float:
    unlisted = _UNLISTED_IDENTITY if coding is Coding.IDENTITY else 0
    return weights.get(coding, weights.get("*", unlisted))
