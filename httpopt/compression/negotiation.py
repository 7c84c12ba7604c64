"""Negotiate the content coding of an answer (RFC 9110, section 12.5.3).

The coding is decided once per request, before anything of the answer exists. A view therefore knows
its entity tag before its body: the tag names the negotiated coding, even if the body then turns out
too small to be encoded.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from httpopt import conf

if TYPE_CHECKING:
    from django.http import HttpRequest

MAX_LENGTH = 1024
"""A longer Accept-Encoding is ignored; no real client sends one."""
_KEY = "httpopt.coding"


class Coding(StrEnum):
    """The available codings, from the least to the most preferred."""

    IDENTITY = "identity"
    GZIP = "gzip"
    BR = "br"
    ZSTD = "zstd"

    @property
    def suffix(self) -> str:
        """Return the letter that ends the entity tag of a representation in this coding."""
        return _SUFFIXES[self]


_SUFFIXES = {Coding.IDENTITY: "i", Coding.GZIP: "g", Coding.BR: "b", Coding.ZSTD: "z"}
_ALIASES = {"x-gzip": "gzip"}
_ELEMENT = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)"
    r"(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?[ \t]*"
)
# Identity is acceptable unless it is refused, but every requested coding is preferred to it.
_UNLISTED_IDENTITY = 0.0005


def negotiate(accept_encoding: str | None) -> Coding:
    """Return the best coding for this header value; ignore malformed elements."""
    if accept_encoding is None or len(accept_encoding) > MAX_LENGTH:
        return Coding.IDENTITY
    return _best(accept_encoding)


def weight_of(coding: Coding, accept_encoding: str | None) -> float:
    """Return the client's weight of ``coding``, from 0 (not acceptable) to 1."""
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
        # If a coding is listed twice, a refusal wins.
        weights[name] = min(weight, weights.get(name, weight))
    return weights


def _weight(coding: Coding, weights: dict[str, float]) -> float:
    unlisted = _UNLISTED_IDENTITY if coding is Coding.IDENTITY else 0
    return weights.get(coding, weights.get("*", unlisted))


def decide_coding(request: HttpRequest) -> None:
    """Store the coding of the answer; called by the compression middleware alone."""
    request.META[_KEY] = _coding_for(request)


def coding_of(request: HttpRequest) -> Coding:
    """Return the stored coding; identity if no compression middleware runs."""
    coding: Coding = request.META.get(_KEY, Coding.IDENTITY)
    return coding


def varies_by(request: HttpRequest) -> list[str]:
    """Return the request headers that decide the coding of this answer, for ``Vary``."""
    if _has_session(request):
        return ["Accept-Encoding", "Cookie", "Sec-Fetch-Site"]
    return ["Accept-Encoding"]


def _coding_for(request: HttpRequest) -> Coding:
    if not conf.enabled() or _could_be_breach(request):
        return Coding.IDENTITY
    return negotiate(request.META.get("HTTP_ACCEPT_ENCODING"))


def _could_be_breach(request: HttpRequest) -> bool:
    """Return True if a foreign page makes the browser send its cookies, as BREACH needs."""
    return request.META.get("HTTP_SEC_FETCH_SITE") == "cross-site" and _has_session(request)


def _has_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES
