"""``/healthz``, ``/readyz`` and ``/metrics``, and the middleware that answers them first."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from koinonia.health import readiness
from throttling.addresses import parse

_PROXY_HEADER = re.compile(
    r"""HTTP_(
        .*FORWARDED.* | .*VIA | .*REAL_IP | .*CLIENT_IP | .*CONNECTING_IP | .*ORIGINAL.* |
        .*PROXY.* | .*SSL.* | .*SCHEME | FRONT_END_HTTPS | MAX_FORWARDS | CDN_LOOP | CF_.* | FLY_.* |
        X_(AMZN|APPGW|ARR|AZURE|CLOUD|CLUSTER|ENVOY|GOOG|NGINX|TRAEFIK|VARNISH).*
    )""",
    re.VERBOSE,
)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process lives, without any check."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer ``{"ready": true, "status": "ready", "parts": {"database": "ok", …}}``.

    The status code is 503 when this instance cannot serve. Without Redis the status is ``degraded``
    and the code 200. ``?full`` runs every check.
    """
    checks = readiness.everything if "full" in request.GET else readiness.needed
    found = checks.readiness()
    body = {"ready": found.is_ready, "status": found.status, "parts": found.states}
    return JsonResponse(body, status=200 if found.is_ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus, if it asks from an address of METRICS_ALLOW and without a proxy."""
    if comes_through_a_proxy(request):
        return _refused("Ask the process itself: metrics are not served through a proxy.")
    if not _may_read_metrics(request):
        return _refused("Your address is not in METRICS_ALLOW.")
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


ENDPOINTS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "healthz": healthz,
    "readyz": readyz,
    "metrics": metrics,
}


def _refused(sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=403, content_type="text/plain")


def _may_read_metrics(request: HttpRequest) -> bool:
    peer = parse(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and any(peer in ip_network(one) for one in settings.METRICS_ALLOW)


def comes_through_a_proxy(request: HttpRequest) -> bool:
    """Return whether a header or the protocol version shows a proxy.

    A proxy on an allowed address would open the metrics to all its clients.
    """
    if any(_PROXY_HEADER.fullmatch(name) for name in request.META):
        return True
    # nginx without header directives sends no proxy header and HTTP/1.0. Prometheus sends 1.1.
    return getattr(request, "scope", {}).get("http_version") == "1.0"


class HealthMiddleware(MiddlewareMixin):
    """Answers the health paths before any other middleware checks the ``Host`` or opens a session.

    A probe sends no ``Host``, or an address as its ``Host``.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        view = ENDPOINTS.get(request.path_info.removeprefix("/"))
        if view is None:
            return None
        response = view(request)
        response["X-Content-Type-Options"] = "nosniff"
        return response
