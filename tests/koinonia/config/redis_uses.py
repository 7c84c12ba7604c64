"""Use Redis once in every way that the project does, and print the results as JSON.

Tests run this module with ``python -m``, in a new process, because settings are read once.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import django

TENANT, NUMBER = 1, "+13125550100"


def uses() -> dict[str, Any]:
    from django.core.cache import caches

    from delivery.limits import pacing
    from delivery.limits.breaker.shared import SharedBreaker
    from delivery.providers import registry
    from delivery.queue import hints
    from throttling import shared_buckets
    from throttling.buckets import Bucket, parse

    two_an_hour = parse("2/h")
    account = registry.account("telnyx")
    breaker = SharedBreaker(account)
    breaker.ask()
    buckets = [Bucket("anon:127.0.0.1", two_an_hour), Bucket("login_ip:127.0.0.1", two_an_hour)]
    hint_was_there = hints.take()
    hints.push()
    caches["default"].set("answer", 42)
    return {
        "left": shared_buckets.store().take(buckets).states[0].remaining,
        "counted": caches["ratelimit"].incr("window")
        if caches["ratelimit"].add("window", 0)
        else 9,
        "cached": caches["default"].get("answer"),
        "paced": pacing.take(account, TENANT, NUMBER, [1] * 100).texts,
        "breaker_is_shared": breaker.is_shared,
        "hint_was_there": hint_was_there,
        "heard": asyncio.run(_heard()),
    }


async def _heard() -> str:
    from channels.layers import get_channel_layer

    layer: Any = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("church.grace", channel)
    await layer.group_send("church.grace", {"type": "log.appended"})
    message = await asyncio.wait_for(layer.receive(channel), 30)
    await layer.flush()
    return str(message["type"])


def clear_cache() -> None:
    from django.core.cache import caches

    caches["default"].set("more", 1, version=2)
    caches["default"].clear()


if __name__ == "__main__":
    django.setup()
    if sys.argv[1:] == ["clear"]:
        clear_cache()
    else:
        sys.stdout.write(json.dumps(uses()))
