"""The contenders of the log and its hub: a bare server, and Channels as in its tutorial.

``python realtime_contenders.py bare|pubsub|core PORT REDIS_URL``
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from redis import asyncio as aioredis

GROUP = "bench"


async def bare(port: int, redis_url: str) -> None:
    """Run ``websockets`` with one Redis subscription, and send each message unchanged to all sockets."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    everyone: set[ServerConnection] = set()

    async def handle(socket: ServerConnection) -> None:
        everyone.add(socket)
        await socket.send("{}")
        await socket.wait_closed()
        everyone.discard(socket)

    async with serve(handle, "127.0.0.1", port, compression=None):
        subscription = aioredis.from_url(redis_url, socket_timeout=None).pubsub()
        await subscription.subscribe(GROUP)
        async for message in subscription.listen():
            if message["type"] == "message":
                broadcast(everyone, message["data"].decode())


def channels_application(layer: str, redis_url: str) -> Any:
    """Return a consumer as in the tutorials: one group, one message per socket and event."""
    from channels.generic.websocket import AsyncWebsocketConsumer
    from django.conf import settings

    backend = {"pubsub": "pubsub.RedisPubSubChannelLayer", "core": "core.RedisChannelLayer"}[layer]
    host = {"address": redis_url, "socket_timeout": None, "max_connections": 2**31}
    layers = {"BACKEND": f"channels_redis.{backend}", "CONFIG": {"hosts": [host]}}
    settings.configure(CHANNEL_LAYERS={"default": layers}, DATABASES={})

    class Consumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
        groups = (GROUP,)

        async def connect(self) -> None:
            await self.accept()
            await self.send("{}")

        async def tell(self, message: dict[str, str]) -> None:
            await self.send(message["text"])

    return Consumer.as_asgi()


def sender(layer: str, redis_url: str) -> Any:
    """Return the same channel layer for the sender."""
    from channels_redis.core import RedisChannelLayer
    from channels_redis.pubsub import RedisPubSubChannelLayer

    kind = {"pubsub": RedisPubSubChannelLayer, "core": RedisChannelLayer}[layer]
    return kind(hosts=[{"address": redis_url, "socket_timeout": None, "max_connections": 2**31}])


def main() -> None:
    kind, port, redis_url = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if kind == "bare":
        asyncio.run(bare(port, redis_url))
    else:
        import uvicorn

        application = channels_application(kind, redis_url)
        uvicorn.run(application, port=port, log_level="warning", lifespan="off")


if __name__ == "__main__":
    main()
