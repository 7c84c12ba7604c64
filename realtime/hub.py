"""The hub of a process: its sockets, its feeds, and the tasks that serve them."""

from __future__ import annotations

import asyncio
from typing import Any

from realtime import conf, log_reader, notices
from realtime.authorization import AccessMonitor, Connection
from realtime.event_loop import PerLoop, detached_task, run_supervised
from realtime.feed import Feed, Listener
from realtime.notices import NoticeListener
from realtime.signals import clients_changed
from realtime.socket_counts import Socket, SocketLimit
from realtime.threads import in_thread

_REJOIN_EVERY = 30
"""Tail checks between two joins of all groups."""


class Hub:
    """Runs while there are sockets or feeds. Notices give speed; the tail check gives certainty."""

    def __init__(self) -> None:
        self.sockets: dict[Socket, None] = {}
        """The sockets in order of arrival."""
        self.feeds: dict[str, Feed] = {}
        self.notices = NoticeListener(self._on_notice, self._groups)
        self._held_requests: set[Connection] = set()
        self._access = AccessMonitor(lambda: [*self.sockets, *self._held_requests])
        self._limit = SocketLimit(self.sockets)
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    def current(cls) -> Hub:
        """Return the hub of the running event loop."""
        return _hubs.current()

    def add_socket(self, socket: Socket) -> None:
        self.sockets[socket] = None
        clients_changed.send_robust(sender=Hub, transport="socket", change=1)
        self._start()

    def remove_socket(self, socket: Socket) -> None:
        if socket in self.sockets:
            del self.sockets[socket]
            clients_changed.send_robust(sender=Hub, transport="socket", change=-1)
        self._stop_if_idle()

    def add_held_request(self, request: Connection) -> None:
        """Check the access of a held request as often as the access of the sockets."""
        self._held_requests.add(request)
        clients_changed.send_robust(sender=Hub, transport="long_poll", change=1)

    def remove_held_request(self, request: Connection) -> None:
        self._held_requests.discard(request)
        clients_changed.send_robust(sender=Hub, transport="long_poll", change=-1)

    async def count_sockets(self, user_id: int) -> int:
        """Return the number of sockets of the user in all web processes."""
        return await self._limit.count(user_id)

    def subscribe(self, key: str, listener: Listener) -> None:
        """Pass every later commit to the stream ``key`` to ``listener``."""
        self._start()
        if key not in self.feeds:
            self.feeds[key] = Feed(key)
            self.notices.join_groups()
        self.feeds[key].listeners.add(listener)

    def unsubscribe(self, key: str, listener: Listener) -> None:
        feed = self.feeds.get(key)
        if feed is None:
            return
        feed.listeners.discard(listener)
        if not feed.listeners:
            feed.stop()
            del self.feeds[key]
            self.notices.leave_group(notices.group_name(key))
        self._stop_if_idle()

    def _start(self) -> None:
        if not self._tasks:
            self.notices.start()
            work = (self.notices.run, self._check_tails, self._access.run, self._limit.run)
            self._tasks = [detached_task(run_supervised(each)) for each in work]

    def _stop_if_idle(self) -> None:
        if not self.sockets and not self.feeds:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            self.notices.stop()

    def _groups(self) -> set[str]:
        return {notices.RIGHTS_GROUP, *map(notices.group_name, self.feeds)}

    def _on_notice(self, notice: dict[str, Any]) -> None:
        if notice.get("type") == "rights.changed":
            self._access.check_soon()
        elif feed := self.feeds.get(notice.get("stream", "")):
            feed.wake()

    async def _check_tails(self) -> None:
        """Compare each feed with the log every second, so that Redis can lose every notice."""
        rounds = 0
        while True:
            await asyncio.sleep(conf.tail_check_seconds())
            for key, head in (await in_thread(log_reader.read_heads, list(self.feeds))).items():
                if feed := self.feeds.get(key):
                    feed.compare(head)
            rounds += 1
            if rounds % _REJOIN_EVERY == 0:
                self.notices.rejoin_groups()
            else:
                self.notices.join_groups()


_hubs = PerLoop(Hub)
