from __future__ import annotations

import os

import django

# A web process keeps PostgreSQL connections; a worker forks, and a pool must not be shared.
os.environ.setdefault("DATABASE_POOL", "20")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - Django stands from here on

from koinonia import environment, redis_server, settings  # noqa: E402
from koinonia.config import private_data  # noqa: E402
from koinonia.content_type import with_readable_content_type  # noqa: E402
from koinonia.request_threads import RequestThreadHandler  # noqa: E402
from koinonia.static_files import with_static_files  # noqa: E402
from koinonia.untrusted_headers import without_untrusted_headers  # noqa: E402
from realtime.routing import websocket_urlpatterns  # noqa: E402

environment.exit_if_missing(settings.ENV)
private_data.keep_new_files_private()
redis_server.warn()

application = without_untrusted_headers(
    ProtocolTypeRouter(
        {
            "http": with_static_files(with_readable_content_type(RequestThreadHandler())),
            "websocket": URLRouter(websocket_urlpatterns),
        }
    )
)
