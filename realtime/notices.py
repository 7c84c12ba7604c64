"""Notices tell web processes that there is something to read in the log.

Losing a notice costs up to a second, and no event: the hub also checks the log every second. The
channel layer is asynchronous and its callers here are not, so each process has a thread with an
event loop for it, and a commit never waits for Redis. Hubs of the same process get notices directly.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction

from realtime import conf
from realtime.event_loop import run_in_background

logger = logging.getLogger(__name__)

RIGHTS_GROUP = "realtime.rights"
_LAYER_SECONDS = 2
_PAUSE_SECONDS = 0.01
"""Between two sends of a process. Feeds read a stream three times less often than this."""
_WITHOUT_LAYER_SECONDS = 30

Notice = dict[str, Any]
OnNotice = Callable[[Notice], None]

_local_listeners: set[OnNotice] = set()
"""The hubs of this process. Any thread may call them."""


def group_name(key: str) -> str:
    """Return the channel layer's group of a stream; group names allow no colon."""
    return key.replace(":", ".")


def shared_layer() -> Any | None:
    """Return the layer that joins the processes, or None if each process is alone."""
    layer = get_channel_layer(conf.channel_layer())
    return None if isinstance(layer, InMemoryChannelLayer) else layer


def publish_on_commit(key: str, seq: int) -> None:
    notice = {"type": "log.appended", "stream": key, "seq": seq}
    transaction.on_commit(partial(publish, group_name(key), notice))


def publish(group: str, notice: Notice) -> None:
    """Call the hubs of this process at once, and send to all other processes soon, best effort."""
    for listener in tuple(_local_listeners):
        listener(notice)
    if shared_layer() is not None:
        _publisher().put(group, notice)


def add_local_listener(listener: OnNotice) -> None:
    _local_listeners.add(listener)


def remove_local_listener(listener: OnNotice) -> None:
    _local_listeners.discard(listener)


class Publisher:
    """A thread with an event loop that sends waiting notices, the newest of each group and user.

    The first notice after silence is sent at once. Those that follow within the pause share a send,
    because a send takes as much CPU as an append to the log.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[Any, ...], tuple[str, Notice]] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        threading.Thread(target=self._run, name="realtime-notices", daemon=True).start()

    def put(self, group: str, notice: Notice) -> None:
        with self._lock:
            is_first = not self._waiting
            self._waiting[group, notice.get("user")] = (group, notice)
        if is_first:
            self._loop.call_soon_threadsafe(self._wake.set)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._send_notices())

    async def _send_notices(self) -> None:
        while await self._wake.wait():
            self._wake.clear()
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            await asyncio.gather(*(_send(group, notice) for group, notice in waiting.values()))
            await asyncio.sleep(_PAUSE_SECONDS)


async def _send(group: str, notice: Notice) -> None:
    layer = shared_layer()
    if layer is not None:
        await _call_layer(layer.group_send(group, notice), f"Sending a notice to {group}")


async def _call_layer(
    call: Coroutine[Any, Any, None], action: str, matters: Callable[[], bool] = lambda: True
) -> bool:
    """Return whether the layer answered in time. The tail check makes up for a failure.

    ``matters`` tells after a failure whether anybody needs to know of it.
    """
    try:
        await asyncio.wait_for(call, _LAYER_SECONDS)
    except Exception as error:  # each layer raises errors of other libraries
        if matters():
            extra = {"action": "notice_failed", "error": type(error).__name__}
            logger.warning("%s failed", action, extra=extra)
        return False
    return True


_publishers: dict[int, Publisher] = {}


def _publisher() -> Publisher:
    """Return this process's publisher. A forked child lacks the thread of its parent's publisher."""
    if os.getpid() not in _publishers:
        _publishers.clear()
        _publishers[os.getpid()] = Publisher()
    return _publishers[os.getpid()]


class NoticeListener:
    """Receives the notices for one hub: from this process, and through one channel of the layer.

    ``wanted_groups`` returns the groups that the channel joins. One channel per process costs a
    tenth of one channel per socket.
    """

    def __init__(self, on_notice: OnNotice, wanted_groups: Callable[[], set[str]]) -> None:
        self._on_notice = on_notice
        self._wanted_groups = wanted_groups
        self._loop = asyncio.get_running_loop()
        self.channel: str | None = None
        self.joined: set[str] = set()

    def start(self) -> None:
        add_local_listener(self._on_local_notice)

    def stop(self) -> None:
        remove_local_listener(self._on_local_notice)
        self._end_channel()

    def _end_channel(self) -> None:
        """Forget the channel, which ends with its reader: no group may be joined on it any more."""
        self.channel, self.joined = None, set()

    async def run(self) -> None:
        """Receive notices from the channel layer until it fails."""
        layer = shared_layer()
        if layer is None:
            return await asyncio.sleep(_WITHOUT_LAYER_SECONDS)
        channel = self.channel = await layer.new_channel()
        joined: set[str] = set()
        self.joined = joined
        self.join_groups()
        try:
            while True:
                self._on_notice(await layer.receive(channel))
        finally:
            if self.channel == channel:
                self._end_channel()
            for group in tuple(joined):
                await _call_layer(layer.group_discard(group, channel), f"Leaving {group}")

    def join_groups(self) -> None:
        """Join the wanted groups that are missing. The next tail check retries failures."""
        if self.channel:
            for group in self._wanted_groups() - self.joined:
                self.joined.add(group)
                run_in_background(self._join_group(group, self.channel))

    def rejoin_groups(self) -> None:
        """Join all groups again: a flushed Redis forgets the groups of the core layer silently."""
        self.joined.clear()
        self.join_groups()

    def leave_group(self, group: str) -> None:
        layer = shared_layer()
        if layer and group in self.joined:
            self.joined.discard(group)
            leaving = layer.group_discard(group, self.channel)
            run_in_background(_call_layer(leaving, f"Leaving {group}"))

    def _on_local_notice(self, notice: Notice) -> None:
        if self._loop.is_closed():
            self.stop()
        else:
            self._loop.call_soon_threadsafe(self._on_notice, notice)

    async def _join_group(self, group: str, channel: str) -> None:
        def is_open() -> bool:
            return self.channel == channel

        layer = shared_layer()
        if layer is None or not is_open():
            return
        adding = layer.group_add(group, channel)
        if not await _call_layer(adding, f"Joining {group}", matters=is_open) and is_open():
            self.joined.discard(group)
