"""Keep floods of POSTs off the login pages: django-ratelimit, by address, in fixed windows.

It fails open. The exact login limits are the token buckets of ``throttling.logins``.
"""

from __future__ import annotations

import logging

from django.http import HttpRequest
from django_ratelimit.core import is_ratelimited
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from throttling import addresses, conf, metrics

logger = logging.getLogger(__name__)
RETRY_AFTER = 60


def is_flooding(request: HttpRequest) -> bool:
    """Count a POST and return True if its address has sent too many."""
    rate = conf.coarse_login_rate()
    if rate is None or not conf.enabled():
        return False
    try:
        return bool(
            is_ratelimited(
                request,
                group="throttling.login",
                key=_key,
                rate=rate,
                method="POST",
                increment=True,
            )
        )
    except (ConnectionInterrupted, RedisError, OSError) as error:
        metrics.count_unanswered("login_guard")
        logger.warning(
            "The flood guard of the login pages could not count: %s",
            error,
            extra={"action": "coarse_guard_failed"},
        )
        return False


def _key(_group: str, request: HttpRequest) -> str:
    return addresses.prefix_of(request)
