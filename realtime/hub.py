"""What the sockets of one process share: feeds, one channel for notices, three clocks."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.utils import timezone

from realtime import conf, notices, pages
from realtime.census import Census
from realtime.closing import CloseCode
from realtime.credentials import Credential
from realtime.feed import Feed, Listener
from realtime.sweep import Verdict, judge
from realtime.threads import in_thread

logger = logging.getLogger(__name__)

_LAYER_SECONDS = 2
_RENEW_EVERY = 30
_LONGEST_DELAY = 8.0


class Watched(Protocol):
    """Whatever listens, and must stop when its right ends."""

    credential: Credential

    def keys(self) -> list[str]:
        """The streams it listens to."""

    async def obey(self, verdict: Verdict) -> None:
        """Give up what it has lost the right to."""


class Socket(Watched, Protocol):
    """A connection, as the hub sees it."""

    async def close(self, code: int) -> None:
        """End it."""


class Hub:
    """Lives as long as somebody listens. Notices make it fast; the tail check makes it right."""

    def __init__(self) -> None:
        self.sockets: dict[Socket, None] = {}
        """In the order in which they came."""
        self.feeds: dict[str, Feed] = {}
        self._held: set[Watched] = set()
        self._channel: str | None = None
        self._joined: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._rejudge = asyncio.Event()
        self._census = Census()
        self._counting = asyncio.Lock()
        self._loop = asyncio.get_running_loop()

    @classmethod
    def here(cls) -> Hub:
        """The hub of the running event loop."""
        return _hubs.setdefault(asyncio.get_running_loop(), cls())

    def enter(self, socket: Socket) -> None:
        self.sockets[socket] = None
        self._start()

    def leave(self, socket: Socket) -> None:
        self.sockets.pop(socket, None)
        self._stop_if_idle()

    def watch(self, held: Watched) -> None:
        """Judge a held request's right as often as the sockets'. It counts as no socket."""
        self._held.add(held)

    def unwatch(self, held: Watched) -> None:
        self._held.discard(held)

    async def sockets_of(self, user_id: int) -> int:
        """Here, and as far as is known in other processes."""
        if self._census.is_older_than(2 * conf.count_seconds()):
            # Nobody was here: nobody listened to the others either.
            await self._exchange_counts()
        here = sum(socket.credential.user_id == user_id for socket in self.sockets)
        return here + self._census.elsewhere(user_id)

    def join(self, key: str, listener: Listener) -> Feed:
        """From now on ``listener`` gets what is committed to the stream ``key``."""
        self._start()
        if key not in self.feeds:
            self.feeds[key] = Feed(key)
            self._join_groups()
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
            clocks = (self._listen, self._check_tails, self._sweep, self._count)
            # In a context of their own: they outlive the request that begins them.
            self._tasks = [
                self._loop.create_task(self._supervise(clock), context=Context())
                for clock in clocks
            ]

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
        delay = 0.5
        while True:
            try:
                await clock()
                delay = 0.5
            except Exception as error:
                logger.warning(
                    "%s failed (%s); starting it again.", clock.__name__, type(error).__name__
                )
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_DELAY)

    async def _listen(self) -> None:
        layer = notices.shared_layer()
        if layer is None:
            return await asyncio.sleep(_RENEW_EVERY)
        channel = self._channel = await layer.new_channel()
        self._joined.clear()
        self._join_groups()
        try:
            while True:
                self._on_notice(await layer.receive(channel))
        finally:
            joined = tuple(self._joined)
            if self._channel == channel:
                # It goes with its connection: nobody can join a group on it any more.
                self._channel = None
                self._joined.clear()
            for group in joined:
                await _patiently(layer.group_discard(group, channel), f"Leaving {group}")

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
                # A flushed Redis has forgotten the groups of the core layer, and says nothing.
                self._joined.clear()
            self._join_groups()

    async def _sweep(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._rejudge.wait(), conf.sweep_seconds())
            except TimeoutError:
                pass  # nobody said anything: the periodic look
            self._rejudge.clear()
            watched: list[Watched] = [*self.sockets, *self._held]
            verdicts = await in_thread(judge, [(each.credential, each.keys()) for each in watched])
            for each, verdict in zip(watched, verdicts, strict=True):
                if not verdict.harmless:
                    # A socket that does not take what it is sent must not hold up the others.
                    _in_background(each.obey(verdict))

    async def _count(self) -> None:
        try:
            while True:
                await asyncio.sleep(conf.count_seconds())
                await self._exchange_counts()
                self._close_too_many()
        finally:
            # Nobody may be left here, and the others must not wait until that is seen.
            await self._say_last_counts()

    async def _say_last_counts(self) -> None:
        try:
            await self._exchange_counts()
        except Exception as error:
            # An error in place of the cancellation would have the clock started again, for ever.
            logger.warning("The last count was not told (%s).", type(error).__name__)

    async def _exchange_counts(self) -> None:
        async with self._counting:
            await in_thread(self._census.exchange, self._own_counts(), timezone.now())

    def _own_counts(self) -> Counter[int]:
        return Counter(socket.credential.user_id for socket in self.sockets)

    def _close_too_many(self) -> None:
        """Two processes may each let in the last socket of a user at once: then the newest goes."""
        too_many = self._census.too_many(self._own_counts(), conf.sockets_per_user())
        for socket in reversed(tuple(self.sockets)):
            if too_many[socket.credential.user_id] > 0:
                too_many[socket.credential.user_id] -= 1
                _in_background(socket.close(CloseCode.TOO_MANY))

    def _join_groups(self) -> None:
        """Joins those that are missing; what fails is tried again at the next tail check."""
        if self._channel:
            for group in {notices.RIGHTS_GROUP, *map(notices.group, self.feeds)} - self._joined:
                self._joined.add(group)
                _in_background(self._join_group(group, self._channel))

    async def _join_group(self, group: str, channel: str) -> None:
        layer = notices.shared_layer()
        if layer is None or await _patiently(layer.group_add(group, channel), f"Joining {group}"):
            return
        if self._channel == channel:
            self._joined.discard(group)

    def _leave_group(self, group: str) -> None:
        layer = notices.shared_layer()
        if layer and group in self._joined:
            self._joined.discard(group)
            leaving = layer.group_discard(group, self._channel)
            _in_background(_patiently(leaving, f"Leaving {group}"))


async def _patiently(call: Coroutine[Any, Any, None], what: str) -> bool:
    """Whether the layer did it in time. The tail check finds what a missed notice would have told."""
    try:
        await asyncio.wait_for(call, _LAYER_SECONDS)
    except Exception as error:  # whatever the layer raises
        logger.warning("%s failed: %s", what, type(error).__name__)
        return False
    return True


def _in_background(work: Coroutine[Any, Any, Any]) -> None:
    task = asyncio.get_running_loop().create_task(work, context=Context())
    _running.add(task)
    task.add_done_callback(_running.discard)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()
_running: set[asyncio.Task[Any]] = set()
