from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.realtime.second_project.settings")
http = get_asgi_application()

from realtime.routing import websocket_urlpatterns  # noqa: E402 - Django is set up from here on

application = ProtocolTypeRouter(
    {
        "http": ASGIStaticFilesHandler(http),
        "websocket": URLRouter(websocket_urlpatterns),
    }
)
