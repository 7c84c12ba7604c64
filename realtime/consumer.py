"""The WebSocket consumer. It is thin: the hub, the subscriptions and the log do the work."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, cast

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from realtime import conf, log_reader, outage, protocol
from realtime.authorization import Access, check_access
from realtime.credentials import Credential
from realtime.flow_control import FrameRate, SendWindow, TooSlowError
from realtime.handshake import client_address, identify
from realtime.handshake_queue import HandshakeQueue
from realtime.hub import Hub
from realtime.log_reader import Head
from realtime.protocol import (
    REASONS,
    SUBPROTOCOL,
    BadFrameError,
    CloseCode,
    RefusedError,
    stream_name,
)
from realtime.subscription import Subscription
from realtime.threads import in_thread

logger = logging.getLogger(__name__)

MAX_STREAMS = 20
INTERNAL_ERROR = 1011
"""The client connects again and resumes: the database is away, or an error of ours."""


class EventConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """A socket with its credential, its subscriptions and its limits."""

    # The hub has the one channel of the process; a channel per socket would cost ten times as much.
    channel_layer_alias = None

    credential: Credential

    def __init__(self) -> None:
        super().__init__()
        self._subscriptions: dict[str, Subscription] = {}
        self._window = SendWindow()
        self._rate = FrameRate(asyncio.get_running_loop().time())
        self._closed = False
        self._opened_at = asyncio.get_running_loop().time()
        self._close_code: int | None = None
        self._most_streams = 0
        self._heartbeat_timer: asyncio.TimerHandle | None = None
        self._heartbeat_task: asyncio.Task[None] | None = None
        self._hub = Hub.current()

    async def connect(self) -> None:
        offered = self.scope.get("subprotocols", [])
        # Accept first: a browser cannot read the code of a refusal before accept.
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        try:
            async with HandshakeQueue.current().slot(client_address(self.scope)):
                self.credential = await in_thread(identify, self.scope)
            if await self._hub.count_sockets(self.credential.user_id) >= conf.sockets_per_user():
                raise RefusedError(CloseCode.TOO_MANY)
        except RefusedError as refused:
            await self.close(refused.code)
        else:
            self._hub.add_socket(self)
            extra = {"action": "socket_opened", "user": self.credential.user_id}
            logger.info("A socket was opened", extra=extra)
            await self._send_frame(
                {"type": "welcome", "protocol": 1, "heartbeat": conf.heartbeat_seconds()}
            )
            self._schedule_heartbeat()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # The method of Channels starts a task for each frame, to await a channel layer as well.
        self.scope, self.channel_layer, self.base_send = scope, None, send
        try:
            while True:
                await self._dispatch_or_close(await receive())
        except StopConsumer:
            pass
        finally:
            # This also runs after an error, and when the server cancels this task.
            self._clean_up()
            self._log_end()

    async def _dispatch_or_close(self, message: dict[str, Any]) -> None:
        """Handle a message; close the socket if the database is away."""
        try:
            await self.dispatch(message)
        except outage.ERRORS as error:
            outage.note(error)
            await self.close(INTERNAL_ERROR)

    async def dispatch(self, message: dict[str, Any]) -> None:
        # The method of Channels checks database connections for each frame, in Django's one thread;
        # in_thread checks them here, in a thread pool of this app.
        await getattr(self, get_handler_name(message))(message)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        if self._close_code is None:
            self._close_code = message.get("code")
        raise StopConsumer

    def _log_end(self) -> None:
        credential = getattr(self, "credential", None)
        extra = {
            "action": "socket_closed",
            "code": self._close_code,
            "user": credential.user_id if credential else None,
            "streams": self._most_streams,
            "seconds": round(asyncio.get_running_loop().time() - self._opened_at, 1),
        }
        logger.info("A socket was closed", extra=extra)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        if self._closed:
            return
        self._closed = True
        self._close_code = None if code is None else int(code)
        self._clean_up()
        # Autobahn, which daphne uses, refuses subclasses of int.
        if reason is None and code is not None:
            reason = REASONS.get(code)
        await super().close(None if code is None else int(code), reason)

    def _clean_up(self) -> None:
        for name in list(self._subscriptions):
            self._unsubscribe(name)
        for pending in (self._heartbeat_timer, self._heartbeat_task):
            if pending:
                pending.cancel()
        self._hub.remove_socket(self)

    # Frames of the client

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._closed:
            return  # the client sent this before it saw the close
        try:
            frame: dict[str, Any] | None = protocol.parse_frame(text_data)
            detail = ""
        except BadFrameError as error:
            frame, detail = None, str(error)
        if frame and self._acknowledges(frame):
            return  # not counted: a client may acknowledge every frame
        if not self._rate.take(asyncio.get_running_loop().time()):
            await self.close(CloseCode.TOO_MANY)
        elif frame:
            await self._handle(frame)
        else:
            await self._send_error("bad_frame", detail)

    def _acknowledges(self, frame: dict[str, Any]) -> bool:
        """Return whether this is an ack that settles at least one frame."""
        stream, seq = frame.get("stream"), frame.get("seq")
        is_ack = frame["type"] == "ack" and isinstance(stream, str) and type(seq) is int
        return is_ack and self._window.acknowledge(cast(str, stream), cast(int, seq))

    async def _handle(self, frame: dict[str, Any]) -> None:
        handler = self._handlers.get(frame["type"])
        try:
            if handler is None:
                raise BadFrameError("There is no frame of this type.")
            await handler(self, frame)
        except BadFrameError as error:
            await self._send_error("bad_frame", str(error), **protocol.refused_stream(frame))

    async def _on_subscribe(self, frame: dict[str, Any]) -> None:
        name = frame.get("stream")
        since, epoch = protocol.read_sequence(frame, "since"), protocol.read_epoch(frame)
        if not isinstance(name, str) or not protocol.is_stream_name(name):
            detail = "A stream is church:<slug> or user:me."
            await self._send_error("unknown_stream", detail, **protocol.refused_stream(frame))
        elif len(self._subscriptions) >= MAX_STREAMS and name not in self._subscriptions:
            detail = f"At most {MAX_STREAMS} streams on one socket."
            await self._send_error("too_many", detail, stream=name)
        else:
            await self._subscribe_if_allowed(name, since, epoch)

    async def _on_unsubscribe(self, frame: dict[str, Any]) -> None:
        name = frame.get("stream")
        if not isinstance(name, str) or not self._unsubscribe(name):
            await self._send_error("unknown_stream", "You do not listen to this stream.")

    async def _on_ack(self, frame: dict[str, Any]) -> None:
        # An ack that settles a frame does not reach this handler.
        if protocol.read_sequence(frame, "seq") is None or not isinstance(frame.get("stream"), str):
            raise BadFrameError('An ack names a "stream" and a "seq".')

    async def _on_ping(self, frame: dict[str, Any]) -> None:
        await self._send_frame({"type": "pong"})

    _handlers = {
        "subscribe": _on_subscribe,
        "unsubscribe": _on_unsubscribe,
        "ack": _on_ack,
        "ping": _on_ping,
    }

    # Subscriptions

    async def _subscribe_if_allowed(self, name: str, since: int | None, epoch: str | None) -> None:
        key = protocol.stream_key(name, self.credential.user_id)
        [access] = await in_thread(check_access, [(self.credential, [key] if key else [])])
        if access.expired:
            await self.close(CloseCode.UNAUTHENTICATED)
        elif key is None or access.revoked:
            await self._send_error("forbidden", f"You may not listen to {name}.", stream=name)
        elif not self._closed:
            self._unsubscribe(name)
            await self._subscribe(key, since, epoch)

    async def _subscribe(self, key: str, since: int | None, epoch: str | None) -> None:
        name = stream_name(key)
        subscription = Subscription(key, name, self, self._window)
        self._subscriptions[name] = subscription
        self._most_streams = max(self._most_streams, len(self._subscriptions))
        # Join the feed before reading the head: the feed delivers every commit in between.
        self._hub.subscribe(key, subscription)
        head = await in_thread(log_reader.read_head, key)
        if self._subscriptions.get(name) is not subscription:
            return  # closed or revoked in the meantime
        subscription.start_at(head.last if since is None else since, head.epoch)
        if since is None or head.can_resume(since, epoch):
            resumed = since is not None
            await self._send_frame(
                {"type": "subscribed", "stream": name, "epoch": head.epoch, "seq": head.last,
                 "resumed": resumed}
            )  # fmt: skip
        else:
            subscription.start_at(head.last, head.epoch)
            await self.send_reset(head)
        if self._subscriptions.get(name) is subscription:
            subscription.begin(head)

    def _unsubscribe(self, name: str) -> bool:
        """Stop the subscription, and return whether there was one."""
        subscription = self._subscriptions.pop(name, None)
        if subscription is None:
            return False
        subscription.stop()
        self._hub.unsubscribe(subscription.key, subscription)
        return True

    # Called by the hub

    def keys(self) -> list[str]:
        return [subscription.key for subscription in self._subscriptions.values()]

    async def apply_access(self, access: Access) -> None:
        # The client may have unsubscribed during the check.
        revoked = [name for name in map(stream_name, access.revoked) if self._unsubscribe(name)]
        if access.expired:
            await self.close(CloseCode.UNAUTHENTICATED)
        elif revoked and not self._subscriptions:
            await self.close(CloseCode.FORBIDDEN)
        for name in revoked if self._subscriptions else ():
            await self._send_frame({"type": "unsubscribed", "stream": name, "code": "forbidden"})

    # Called by the subscriptions

    def send_text(self, text: str) -> Awaitable[None]:
        sending: Awaitable[None] = self.base_send({"type": "websocket.send", "text": text})
        return sending

    async def send_reset(self, head: Head) -> None:
        name = stream_name(head.key)
        await self._send_frame(
            {"type": "reset", "stream": name, "epoch": head.epoch, "seq": head.last}
        )

    async def fail(self, key: str, error: Exception) -> None:
        if isinstance(error, TooSlowError):
            await self.close(CloseCode.TOO_SLOW)
        elif isinstance(error, OSError):
            self._clean_up()  # ASGI servers raise OSError when the client has disconnected
        else:
            # Close: resuming is cheap and exact, and a half-working socket loses events.
            if not outage.note(error):
                logger.error(
                    "A subscription to %s failed; closing its socket",
                    key,
                    exc_info=error,
                    extra={"action": "subscription_failed", "error": type(error).__name__},
                )
            await self.close(INTERNAL_ERROR)

    # Frames of the server

    def _schedule_heartbeat(self) -> None:
        # A timer: a sleeping task would be most of the memory of an idle socket.
        loop = asyncio.get_running_loop()
        self._heartbeat_timer = loop.call_later(conf.heartbeat_seconds(), self._start_heartbeat)

    def _start_heartbeat(self) -> None:
        self._heartbeat_task = asyncio.create_task(self._send_heartbeat())

    async def _send_heartbeat(self) -> None:
        positions = {name: sub.sent for name, sub in self._subscriptions.items()}
        await self._send_frame({"type": "heartbeat", "streams": positions})
        self._heartbeat_task = None
        self._schedule_heartbeat()

    async def _send_error(self, code: str, detail: str, **about: str) -> None:
        await self._send_frame({"type": "error", "code": code, "detail": detail, **about})

    async def _send_frame(self, frame: dict[str, Any]) -> None:
        if not self._closed:
            # ASGI servers raise OSError after the end of the socket; the disconnect follows.
            with suppress(OSError):
                await self.send_text(json.dumps(frame, separators=(",", ":")))
