from __future__ import annotations

import re
from ipaddress import ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from koinonia.health import readiness as looks
from throttling.addresses import parse

_SIGN_OF_A_PROXY = re.compile(
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
    """The process lives; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """``{"ready": true, "status": "ready", "parts": {"database": "ok", …}}``.

    503 when this instance cannot serve. Redis away is ``degraded`` and 200. ``?full`` asks every part.
    """
    found = (looks.everything if "full" in request.GET else looks.needed).readiness()
    body = {"ready": found.is_ready, "status": found.status, "parts": found.states}
    return JsonResponse(body, status=200 if found.is_ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus, which asks from an address of METRICS_ALLOW and without a proxy."""
    if comes_through_a_proxy(request):
        return _refused("Ask the process itself: metrics are not told through a proxy.")
    if not _may_read_metrics(request):
        return _refused("Your address is not in METRICS_ALLOW.")
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _refused(sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=403, content_type="text/plain")


def _may_read_metrics(request: HttpRequest) -> bool:
    peer = parse(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and any(peer in ip_network(one) for one in settings.METRICS_ALLOW)


def comes_through_a_proxy(request: HttpRequest) -> bool:
    """Return whether a header, or the age of the protocol, is a sign of a proxy.

    One on an allowed address would open the metrics to everybody behind it.
    """
    if any(_SIGN_OF_A_PROXY.fullmatch(name) for name in request.META):
        return True
    # nginx without a line about headers names nobody, and speaks HTTP/1.0. Prometheus never does.
    return getattr(request, "scope", {}).get("http_version") == "1.0"
