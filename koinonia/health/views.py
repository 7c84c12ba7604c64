from __future__ import annotations

from ipaddress import ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from koinonia.health import parts
from throttling.addresses import client_address, parse


@require_safe
@never_cache
async def healthz(request: HttpRequest) -> HttpResponse:
    """The process lives; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """``{"ready": true, "parts": {"database": "ok", …}}``, 503 when one is not."""
    found = parts.look()
    ready = all(state == "ok" for state in found.values())
    return JsonResponse({"ready": ready, "parts": found}, status=200 if ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if not _may_read_metrics(request):
        return HttpResponse(
            "Your address is not in METRICS_ALLOW.\n", status=403, content_type="text/plain"
        )
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    client = client_address(request)
    if client is None or _comes_through_a_stranger(request, str(client)):
        return False
    return any(client in ip_network(network) for network in settings.METRICS_ALLOW)


def _comes_through_a_stranger(request: HttpRequest, client: str) -> bool:
    """A proxy that is not trusted stands on an allowed address: whom it speaks for, nobody knows."""
    peer = parse(request.META.get("REMOTE_ADDR", ""))
    return "HTTP_X_FORWARDED_FOR" in request.META and str(peer) == client
