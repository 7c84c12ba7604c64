"""The socket of contract section 6. Thin: the hub and the log do the work."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable
from typing import Any, cast

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from realtime import conf, frames, pages
from realtime.allowance import Allowance
from realtime.arrivals import Arrivals
from realtime.closing import CloseCode, RefusedError
from realtime.credentials import Credential
from realtime.flow import Flow, TooSlowError
from realtime.frames import BadFrameError
from realtime.handshake import PROTOCOL, address_of, identify
from realtime.hub import Hub
from realtime.names import is_name, key_of, name_of
from realtime.pages import Head
from realtime.subscription import Subscription
from realtime.sweep import Verdict, judge
from realtime.threads import in_thread

logger = logging.getLogger(__name__)

MOST_STREAMS = 20


class EventConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    # The hub has the process's one channel; a channel per socket would cost ten times as much.
    channel_layer_alias = None

    credential: Credential

    def __init__(self) -> None:
        super().__init__()
        self._subscriptions: dict[str, Subscription] = {}
        self._flow = Flow()
        self._allowance = Allowance(asyncio.get_running_loop().time())
        self._closed = False
        self._heart: asyncio.TimerHandle | None = None
        self._beating: asyncio.Task[None] | None = None
        self._hub = Hub.here()

    async def connect(self) -> None:
        offered = self.scope.get("subprotocols", [])
        # A refusal before accept would reach a browser without its code.
        await self.accept(PROTOCOL if PROTOCOL in offered else None)
        try:
            async with Arrivals.here().turn(address_of(self.scope)):
                self.credential = await in_thread(identify, self.scope)
            if await self._hub.sockets_of(self.credential.user_id) >= conf.sockets_per_user():
                raise RefusedError(CloseCode.TOO_MANY)
        except RefusedError as refused:
            await self.close(refused.code)
        else:
            self._hub.enter(self)
            await self._say(
                {"type": "welcome", "protocol": 1, "heartbeat": conf.heartbeat_seconds()}
            )
            self._wait_to_beat()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Channels' own makes a task of each frame, to listen to a layer at the same time.
        self.scope, self.channel_layer, self.base_send = scope, None, send
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            # Whatever ends it, an error or the server, nothing of it stays.
            self._clean_up()

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels' own looks after database connections in everybody's one thread, at each frame;
        # here in_thread does, in threads of its own.
        await getattr(self, get_handler_name(message))(message)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        raise StopConsumer

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        if self._closed:
            return
        self._closed = True
        self._clean_up()
        # Autobahn, below daphne, takes no subclass of int.
        await super().close(None if code is None else int(code), reason)

    def _clean_up(self) -> None:
        for name in list(self._subscriptions):
            self._drop(name)
        for pulse in (self._heart, self._beating):
            if pulse:
                pulse.cancel()
        self._hub.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._closed:
            return  # said before it heard so
        try:
            frame: dict[str, Any] | None = frames.parse(text_data)
            wrong = ""
        except BadFrameError as error:
            frame, wrong = None, str(error)
        if frame and self._acknowledges(frame):
            return  # as often as we send: it costs no allowance
        if not self._allowance.take(asyncio.get_running_loop().time()):
            await self.close(CloseCode.TOO_MANY)
        elif frame:
            await self._take(frame)
        else:
            await self._error("bad_frame", wrong)

    def _acknowledges(self, frame: dict[str, Any]) -> bool:
        """Return whether this is an ack that acknowledges something."""
        stream, seq = frame.get("stream"), frame.get("seq")
        is_ack = frame["type"] == "ack" and isinstance(stream, str) and type(seq) is int
        return is_ack and self._flow.acknowledge(cast(str, stream), cast(int, seq))

    async def _take(self, frame: dict[str, Any]) -> None:
        handler = self._handlers.get(frame["type"])
        try:
            if handler is None:
                raise BadFrameError("There is no frame of this type.")
            await handler(self, frame)
        except BadFrameError as error:
            await self._error("bad_frame", str(error), **frames.subject(frame))

    # What clients say

    async def _subscribe(self, frame: dict[str, Any]) -> None:
        name, since, epoch = (
            frame.get("stream"),
            frames.sequence(frame, "since"),
            frames.epoch(frame),
        )
        if not isinstance(name, str) or not is_name(name):
            detail = "A stream is church:<slug> or user:me."
            await self._error("unknown_stream", detail, **frames.subject(frame))
        elif len(self._subscriptions) >= MOST_STREAMS and name not in self._subscriptions:
            detail = f"At most {MOST_STREAMS} streams on one socket."
            await self._error("too_many", detail, stream=name)
        else:
            await self._subscribe_to(name, since, epoch)

    async def _subscribe_to(self, name: str, since: int | None, epoch: str | None) -> None:
        key = key_of(name, self.credential.user_id)
        [verdict] = await in_thread(judge, [(self.credential, [key] if key else [])])
        if verdict.ended:
            await self.close(CloseCode.UNAUTHENTICATED)
        elif key is None or verdict.lost:
            await self._error("forbidden", f"You may not listen to {name}.", stream=name)
        elif not self._closed:
            self._drop(name)
            await self._join(key, since, epoch)

    async def _join(self, key: str, since: int | None, epoch: str | None) -> None:
        name = name_of(key)
        subscription = Subscription(key, name, self, self._flow)
        self._subscriptions[name] = subscription
        # Joined first, read then: what is committed in between comes from the feed.
        self._hub.join(key, subscription)
        head = await in_thread(pages.head, key)
        if self._subscriptions.get(name) is not subscription:
            return  # closed, or the right was lost, meanwhile
        subscription.start_at(head.last if since is None else since, head.epoch)
        if since is None or head.holds(since, epoch):
            await self._say(
                {"type": "subscribed", "stream": name, "epoch": head.epoch, "seq": head.last,
                 "resumed": since is not None}
            )  # fmt: skip
        else:
            subscription.start_at(head.last, head.epoch)
            await self.reset(head)
        if self._subscriptions.get(name) is subscription:
            subscription.begin(head)

    async def _unsubscribe(self, frame: dict[str, Any]) -> None:
        name = frame.get("stream")
        if not isinstance(name, str) or not self._drop(name):
            await self._error("unknown_stream", "You do not listen to this stream.")

    async def _ack(self, frame: dict[str, Any]) -> None:
        # One that acknowledges something does not come here.
        if frames.sequence(frame, "seq") is None or not isinstance(frame.get("stream"), str):
            raise BadFrameError('An ack names a "stream" and a "seq".')

    async def _ping(self, frame: dict[str, Any]) -> None:
        await self._say({"type": "pong"})

    _handlers = {"subscribe": _subscribe, "unsubscribe": _unsubscribe, "ack": _ack, "ping": _ping}

    # What the hub says

    def keys(self) -> list[str]:
        return [subscription.key for subscription in self._subscriptions.values()]

    async def obey(self, verdict: Verdict) -> None:
        # It may have left a stream while it was judged.
        lost = [name for name in map(name_of, verdict.lost) if self._drop(name)]
        if verdict.ended:
            await self.close(CloseCode.UNAUTHENTICATED)
        elif lost and not self._subscriptions:
            await self.close(CloseCode.FORBIDDEN)
        for name in lost if self._subscriptions else ():
            await self._say({"type": "unsubscribed", "stream": name, "code": "forbidden"})

    # What its subscriptions say

    def transmit(self, text: str) -> Awaitable[None]:
        sending: Awaitable[None] = self.base_send({"type": "websocket.send", "text": text})
        return sending

    async def reset(self, head: Head) -> None:
        await self._say(
            {"type": "reset", "stream": name_of(head.key), "epoch": head.epoch, "seq": head.last}
        )

    async def fail(self, key: str, error: Exception) -> None:
        if isinstance(error, TooSlowError):
            await self.close(CloseCode.TOO_SLOW)
        elif isinstance(error, OSError):
            self._clean_up()  # the client has gone, as ASGI says it
        else:
            # Resuming is cheap and exact; a half-working socket is neither.
            logger.error("A subscription to %s failed; closing its socket.", key, exc_info=error)
            await self.close(1011)

    # What it does itself

    def _wait_to_beat(self) -> None:
        # A timer, for a task that sleeps for ever would be most of what an idle socket needs.
        loop = asyncio.get_running_loop()
        self._heart = loop.call_later(conf.heartbeat_seconds(), self._beat)

    def _beat(self) -> None:
        self._beating = asyncio.create_task(self._say_positions())

    async def _say_positions(self) -> None:
        positions = {name: sub.sent for name, sub in self._subscriptions.items()}
        await self._say({"type": "heartbeat", "streams": positions})
        self._beating = None
        self._wait_to_beat()

    def _drop(self, name: str) -> bool:
        subscription = self._subscriptions.pop(name, None)
        if subscription is None:
            return False
        subscription.stop()
        self._hub.part(subscription.key, subscription)
        return True

    async def _say(self, frame: dict[str, Any]) -> None:
        if self._closed:
            return
        await self.transmit(json.dumps(frame, separators=(",", ":")))

    async def _error(self, code: str, detail: str, **about: str) -> None:
        await self._say({"type": "error", "code": code, "detail": detail, **about})
