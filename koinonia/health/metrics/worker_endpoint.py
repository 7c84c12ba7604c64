"""``/metrics`` of a worker, served by its supervisor at ``WORKER_METRICS``."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from prometheus_client.exposition import ThreadingWSGIServer

from koinonia.health.metrics import exposition, process_group
from koinonia.health.metrics.access import refusal

logger = logging.getLogger(__name__)


class _SilentHandler(WSGIRequestHandler):
    timeout = 10
    """A client that sends nothing holds its thread no longer."""

    def log_message(self, *arguments: Any) -> None:
        """Write no line: a scrape is no event."""


class _Server6(ThreadingWSGIServer):
    address_family = socket.AF_INET6


def start() -> WSGIServer | None:
    """Serve the metrics of the clusters that are started after this call.

    Return None without WORKER_METRICS, or if its address cannot be used: texts matter more.
    """
    if not settings.WORKER_METRICS:
        return None
    host, _, port = settings.WORKER_METRICS.rpartition(":")
    try:
        server = make_server(
            host.strip("[]"),
            int(port),
            answer,
            server_class=_Server6 if ":" in host else ThreadingWSGIServer,
            handler_class=_SilentHandler,
        )
    except OSError as error:
        logger.error(
            "WORKER_METRICS cannot be used: %s", error.strerror, extra={"action": "no_metrics"}
        )
        return None
    process_group.join(settings.ENV.data_dir / "metrics", f"worker-{secrets.token_hex(8)}")
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a scrape (WSGI)."""
    status, body = "200 OK", b""
    if environ["PATH_INFO"] != "/metrics" or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        status, body = "404 Not Found", b"Only GET /metrics is answered here.\n"
    elif sentence := refusal(environ):
        status, body = "403 Forbidden", f"{sentence}\n".encode()
    content_type = exposition.CONTENT_TYPE if status == "200 OK" else "text/plain"
    body = body or exposition.of_worker()
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
