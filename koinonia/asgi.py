"""The ASGI application of the project: HTTP and the WebSocket of ``realtime``."""

from __future__ import annotations

import os

import django

# A web process keeps PostgreSQL connections; a worker forks, and a pool must not be shared.
os.environ.setdefault("DATABASE_POOL", "20")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")

from koinonia import settings
from koinonia.health.metrics import process_group

if name := process_group.name_among_siblings():
    # The workers of one uvicorn share a port, and so a scrape.
    process_group.join(settings.ENV.data_dir / "metrics", name)
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - needs Django's setup

from delivery.webhooks.asgi import WebhookIntake  # noqa: E402
from koinonia import garbage  # noqa: E402
from koinonia.config import checks, environment, private_data  # noqa: E402
from koinonia.health import heartbeat, redis_server  # noqa: E402
from koinonia.health.liveness import with_liveness  # noqa: E402
from koinonia.http.request_log import with_request_log  # noqa: E402
from koinonia.http.request_threads import RequestThreadHandler  # noqa: E402
from koinonia.http.scopes import with_believed_scope, with_readable_content_type  # noqa: E402
from koinonia.http.static_files import with_static_files  # noqa: E402
from koinonia.http.stopping import with_stopping  # noqa: E402
from realtime.routing import websocket_urlpatterns  # noqa: E402

environment.exit_if_missing(settings.ENV)
checks.refuse_to_start()
private_data.keep_new_files_private()
redis_server.warn()
heartbeat.follow_web_process()

application = with_liveness(
    with_request_log(
        with_believed_scope(
            ProtocolTypeRouter(
                {
                    "http": WebhookIntake(
                        with_static_files(with_readable_content_type(RequestThreadHandler()))
                    ),
                    "websocket": URLRouter(websocket_urlpatterns),
                }
            )
        )
    )
)
garbage.collect_rarely()
application = with_stopping(application)
