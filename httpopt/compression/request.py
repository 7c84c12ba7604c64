"""The coding of a request's answer, decided once, before anything of the answer exists.

So that a view knows its entity tag before its body, the tag names the coding that was agreed, also
where a body then turns out too small to be coded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from httpopt import conf
from httpopt.compression.negotiation import Coding, negotiate

if TYPE_CHECKING:
    from django.http import HttpRequest

_KEY = "httpopt.coding"


def decide(request: HttpRequest) -> None:
    """Store the coding; only the compression middleware, which does the coding, calls this."""
    request.META[_KEY] = _wanted(request)


def coding_of(request: HttpRequest) -> Coding:
    """Identity where no compression middleware is at work."""
    coding: Coding = request.META.get(_KEY, Coding.IDENTITY)
    return coding


def _wanted(request: HttpRequest) -> Coding:
    if not conf.enabled() or _may_be_an_attack(request):
        return Coding.IDENTITY
    return negotiate(request.META.get("HTTP_ACCEPT_ENCODING"))


def varies_by(request: HttpRequest) -> list[str]:
    """Return the request headers that decide the coding of this answer, for ``Vary``."""
    if _has_session(request):
        return ["Accept-Encoding", "Cookie", "Sec-Fetch-Site"]
    return ["Accept-Encoding"]


def _may_be_an_attack(request: HttpRequest) -> bool:
    """BREACH needs a foreign page that makes the victim's browser ask, with its cookies."""
    return request.META.get("HTTP_SEC_FETCH_SITE") == "cross-site" and _has_session(request)


def _has_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES
