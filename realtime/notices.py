"""Notices say that there is something to read; losing one costs a second, never an event.

The channel layer is asynchronous, its users here are not: one thread per process holds a loop, so
that a commit never waits for Redis. A hub of this process is told directly.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction

from realtime import conf

logger = logging.getLogger(__name__)

RIGHTS_GROUP = "realtime.rights"
_SEND_SECONDS = 2

Notice = dict[str, Any]
Listener = Callable[[Notice], None]

_listeners: set[Listener] = set()
"""The hubs of this process; each is called from any thread."""


def group(key: str) -> str:
    """The channel layer's group of a stream; its names allow no colon."""
    return key.replace(":", ".")


def publish_on_commit(key: str, seq: int) -> None:
    notice = {"type": "log.appended", "stream": key, "seq": seq}
    transaction.on_commit(partial(publish, group(key), notice))


def publish(to: str, notice: Notice) -> None:
    """Tell this process's hubs now, and the others some time soon, best effort."""
    for listener in tuple(_listeners):
        listener(notice)
    if shared_layer() is not None:
        _publisher().put(to, notice)


def shared_layer() -> Any | None:
    """The layer that joins processes. None where there is none: then the tail check tells them."""
    layer = get_channel_layer(conf.channel_layer())
    return None if isinstance(layer, InMemoryChannelLayer) else layer


def listen(listener: Listener) -> None:
    _listeners.add(listener)


def ignore(listener: Listener) -> None:
    _listeners.discard(listener)


class Publisher:
    """One thread with one event loop, and what waits to be sent: the newest notice of each thing."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[Any, ...], tuple[str, Notice]] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        threading.Thread(target=self._run, name="realtime-notices", daemon=True).start()

    def put(self, to: str, notice: Notice) -> None:
        with self._lock:
            self._waiting[to, notice.get("user")] = (to, notice)
        self._loop.call_soon_threadsafe(self._wake.set)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._send_for_ever())

    async def _send_for_ever(self) -> None:
        while await self._wake.wait():
            self._wake.clear()
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            await asyncio.gather(*(_send(to, notice) for to, notice in waiting.values()))


async def _send(to: str, notice: Notice) -> None:
    layer = shared_layer()
    try:
        if layer is not None:
            await asyncio.wait_for(layer.group_send(to, notice), _SEND_SECONDS)
    except Exception as error:  # whatever the layer raises, the log has it all
        logger.warning("A notice to %s was lost: %s", to, type(error).__name__)


_publishers: dict[int, Publisher] = {}


def _publisher() -> Publisher:
    """This process's; a forked child must not use its parent's, whose thread it does not have."""
    if os.getpid() not in _publishers:
        _publishers.clear()
        _publishers[os.getpid()] = Publisher()
    return _publishers[os.getpid()]
