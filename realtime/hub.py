"""What the sockets of one process share: feeds, one channel for notices, two clocks."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer

from realtime import conf, notices, pages
from realtime.credentials import Credential
from realtime.feed import Feed, Listener
from realtime.sweep import Verdict, judge
from realtime.threads import in_thread

logger = logging.getLogger(__name__)

_LAYER_SECONDS = 2
_RENEW_EVERY = 30


class Socket(Protocol):
    """A connection, as the hub sees it."""

    credential: Credential

    def keys(self) -> list[str]:
        """The streams it listens to."""

    async def obey(self, verdict: Verdict) -> None:
        """Give up what it has lost the right to."""


class Hub:
    """Lives as long as somebody listens. Notices make it fast; the tail check makes it right."""

    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self.feeds: dict[str, Feed] = {}
        self._channel: str | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._rejudge = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @classmethod
    def here(cls) -> Hub:
        """The hub of the running event loop."""
        return _hubs.setdefault(asyncio.get_running_loop(), cls())

    def enter(self, socket: Socket) -> None:
        self.sockets.add(socket)
        self._start()

    def leave(self, socket: Socket) -> None:
        self.sockets.discard(socket)
        self._stop_if_idle()

    def sockets_of(self, user_id: int) -> int:
        return sum(socket.credential.user_id == user_id for socket in self.sockets)

    def join(self, key: str, listener: Listener) -> Feed:
        """From now on ``listener`` gets what is committed to the stream ``key``."""
        self._start()
        if key not in self.feeds:
            self.feeds[key] = Feed(key)
            self._join_group(notices.group(key))
        self.feeds[key].listeners.add(listener)
        return self.feeds[key]

    def part(self, key: str, listener: Listener) -> None:
        feed = self.feeds.get(key)
        if feed is None:
            return
        feed.listeners.discard(listener)
        if not feed.listeners:
            feed.stop()
            del self.feeds[key]
            self._leave_group(notices.group(key))
        self._stop_if_idle()

    # What runs while anybody listens

    def _start(self) -> None:
        if not self._tasks:
            notices.listen(self._hear)
            clocks = (self._listen, self._check_tails, self._sweep)
            self._tasks = [asyncio.create_task(self._supervise(clock)) for clock in clocks]

    def _stop_if_idle(self) -> None:
        if not self.sockets and not self.feeds:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            notices.ignore(self._hear)

    def _hear(self, notice: dict[str, Any]) -> None:
        """A notice of this process, from any thread."""
        if self._loop.is_closed():
            notices.ignore(self._hear)
        else:
            self._loop.call_soon_threadsafe(self._on_notice, notice)

    async def _supervise(self, clock: Any) -> None:
        """Runs ``clock`` again whatever ends it: a hub that stopped listening would look healthy."""
        while True:
            try:
                await clock()
            except Exception as error:
                logger.warning(
                    "%s failed (%s); starting it again.", clock.__name__, type(error).__name__
                )
                await asyncio.sleep(0.5)

    async def _listen(self) -> None:
        layer = get_channel_layer(conf.channel_layer())
        if layer is None:
            return await asyncio.sleep(_RENEW_EVERY)
        self._channel = await layer.new_channel()
        for group in [notices.RIGHTS_GROUP, *map(notices.group, self.feeds)]:
            await layer.group_add(group, self._channel)
        while True:
            self._on_notice(await layer.receive(self._channel))

    def _on_notice(self, notice: dict[str, Any]) -> None:
        if notice.get("type") == "rights.changed":
            self._rejudge.set()
        elif feed := self.feeds.get(notice.get("stream", "")):
            feed.wake()

    async def _check_tails(self) -> None:
        """Redis may die, restart or forget: every open socket still gets every event."""
        rounds = 0
        while True:
            await asyncio.sleep(conf.tail_check_seconds())
            for key, head in (await in_thread(pages.heads, list(self.feeds))).items():
                if feed := self.feeds.get(key):
                    feed.compare(head)
            rounds += 1
            if rounds % _RENEW_EVERY == 0:
                for group in [notices.RIGHTS_GROUP, *map(notices.group, self.feeds)]:
                    self._join_group(group)

    async def _sweep(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._rejudge.wait(), conf.sweep_seconds())
            except TimeoutError:
                pass  # nobody said anything: the periodic look
            self._rejudge.clear()
            sockets = list(self.sockets)
            verdicts = await in_thread(judge, [(s.credential, s.keys()) for s in sockets])
            for socket, verdict in zip(sockets, verdicts, strict=True):
                if not verdict.harmless:
                    await socket.obey(verdict)

    def _join_group(self, group: str) -> None:
        if self._channel:
            self._tell_layer("group_add", group)

    def _leave_group(self, group: str) -> None:
        if self._channel:
            self._tell_layer("group_discard", group)

    def _tell_layer(self, method: str, group: str) -> None:
        async def tell() -> None:
            try:
                call = getattr(get_channel_layer(conf.channel_layer()), method)
                await asyncio.wait_for(call(group, self._channel), _LAYER_SECONDS)
            except Exception as error:  # the tail check finds what a missed notice would have told
                logger.warning("%s(%s) failed: %s", method, group, type(error).__name__)

        task = asyncio.create_task(tell())
        _running.add(task)
        task.add_done_callback(_running.discard)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()
_running: set[asyncio.Task[None]] = set()
