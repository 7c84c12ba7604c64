"""The WebSocket routes, for the host's ASGI application::

ProtocolTypeRouter({"http": django_application, "websocket": URLRouter(websocket_urlpatterns)})
"""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path, re_path

from realtime.consumer import EventConsumer


class NoSuchSocket(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """Refuses any other path; the router's own error would be an HTTP 500."""

    channel_layer_alias = None

    async def connect(self) -> None:
        await self.close()


websocket_urlpatterns: list[Any] = [
    path("ws/v1/", EventConsumer.as_asgi()),
    re_path("", NoSuchSocket.as_asgi()),
]
