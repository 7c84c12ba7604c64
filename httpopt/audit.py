"""Audit mode: check whether 304s are right.

With ``HTTPOPT["AUDIT"]`` above 0, the digest of each tagged body is kept in the default cache, and that
share of the 304s is rendered and compared. If the body differs under the same tag, a table is missing
in the declarations, or the answer depends on more than its variant.
"""

from __future__ import annotations

import hashlib
import logging
import random
from functools import partial

from django.core.cache import cache
from django.dispatch import Signal
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from rest_framework.request import Request

from httpopt import conf
from httpopt.validators.etags import ETag

logger = logging.getLogger("httpopt.audit")
stale_not_modified = Signal()
"""Sent with ``path`` and ``tag`` instead of a stale 304."""
_SECONDS = 24 * 60 * 60


def is_due() -> bool:
    share = conf.audit()
    return share > 0 and random.random() < share  # noqa: S311 -- a sample, no secret


def remember(tag: ETag, response: HttpResponse) -> None:
    """Keep the digest of the body, after it is rendered."""
    if conf.audit() == 0:
        return
    if isinstance(response, SimpleTemplateResponse):
        response.add_post_render_callback(partial(_remember_digest, tag))
    else:
        _remember_digest(tag, response)


def _remember_digest(tag: ETag, response: HttpResponse) -> None:
    cache.add(_key(tag), _digest(response), _SECONDS)


def was_stale(tag: ETag, response: HttpResponse) -> bool:
    """Return True if the body differs from the first body with the same tag."""
    known = cache.get(_key(tag)) if conf.audit() > 0 else None
    if known is None:
        return False
    if isinstance(response, SimpleTemplateResponse):
        response.render()
    return bool(known != _digest(response))


def report(tag: ETag, request: Request) -> None:
    logger.error(
        "A 304 for %s was stale; the whole answer was sent",
        request.path,
        extra={"action": "stale_not_modified", "tag": str(tag), "view_path": request.path},
    )
    stale_not_modified.send(Request, path=request.path, tag=str(tag))


def _key(tag: ETag) -> str:
    # The digest covers the body before its content coding, so leave the coding out of the key.
    return f"httpopt:audit:{hashlib.sha256(tag.opaque.rpartition('.')[0].encode()).hexdigest()}"


def _digest(response: HttpResponse) -> str:
    return hashlib.blake2b(response.content, digest_size=16).hexdigest()
