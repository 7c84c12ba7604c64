"""Which of its possible answers a URL gives: everything but the data that decides the bytes."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.utils import timezone, translation
from django.utils.crypto import salted_hmac

from httpopt import conf

if TYPE_CHECKING:
    from collections.abc import Collection

    from rest_framework.request import Request

_BYTES = 9
# Paging and the choice of fields are known to every view.
_ALWAYS = {"cursor", "page", "page_size", "limit", "offset", "fields"}


def variant_of(request: Request, *, rights: str, parameters: Collection[str] | None) -> str:
    """12 characters that nobody else can make. ``parameters``: the query names that count."""
    renderer = request.accepted_renderer
    what = (
        request.build_absolute_uri(request.path),
        urlencode(sorted(_query(request, parameters))),
        request.accepted_media_type,
        renderer.charset,
        translation.get_language(),
        timezone.get_current_timezone_name(),
        getattr(request.user, "pk", None),
        rights,
        conf.release(),
    )
    digest = salted_hmac("httpopt.variant", repr(what), algorithm="sha256").digest()
    return urlsafe_b64encode(digest[:_BYTES]).decode()


def _query(request: Request, parameters: Collection[str] | None) -> list[tuple[str, str]]:
    return [
        (name, one)
        for name, every in request.query_params.lists()
        if parameters is None or name in _ALWAYS or name in parameters
        for one in every
    ]
