"""Hiding a compressed body's length.

Random padding is averaged away by asking often. The length here is a keyed hash of what is sent,
so asking again tells nothing new, and the body's own bytes stay those of its strong tag.
"""

from __future__ import annotations

import hashlib

from django.http import HttpResponse
from django.utils.crypto import salted_hmac

from httpopt import conf


def pad(response: HttpResponse) -> None:
    most = conf.padding_bytes()
    if most:
        response.headers["X-Padding"] = "x" * (1 + _number(response) % most)


def _number(response: HttpResponse) -> int:
    what = response.get("ETag") or hashlib.sha256(response.content).hexdigest()
    return int.from_bytes(salted_hmac("httpopt.padding", what, algorithm="sha256").digest()[:4])
