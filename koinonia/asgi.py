from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

# A web process keeps PostgreSQL connections; a worker forks, and a pool must not be shared.
os.environ.setdefault("DATABASE_POOL", "20")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - Django stands from here on

from koinonia import environment, settings  # noqa: E402
from koinonia.content_type import with_readable_content_type  # noqa: E402
from koinonia.request_threads import with_request_threads  # noqa: E402
from koinonia.static_files import with_static_files  # noqa: E402
from realtime.routing import websocket_urlpatterns  # noqa: E402

environment.exit_if_missing(settings.ENV)

application = ProtocolTypeRouter(
    {
        "http": with_static_files(
            with_readable_content_type(with_request_threads(django_application))
        ),
        "websocket": URLRouter(websocket_urlpatterns),
    }
)
