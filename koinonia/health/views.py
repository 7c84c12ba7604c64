"""``/healthz``, ``/readyz`` and ``/metrics``, and the middleware that answers them first."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from koinonia.health import readiness
from koinonia.health.metrics import access, exposition


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
    """Answer Prometheus, if it asks from an address of METRICS_ALLOW and without a proxy.

    ``?installation`` asks for the gauges from the database, which each process gives alike.
    """
    http_version = getattr(request, "scope", {}).get("http_version")
    if sentence := access.refusal(request.META, http_version):
        return HttpResponse(f"{sentence}\n", status=403, content_type="text/plain")
    of_all = "installation" in request.GET
    body = exposition.of_installation() if of_all else exposition.of_web()
    return HttpResponse(body, content_type=exposition.CONTENT_TYPE)


ENDPOINTS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "healthz": healthz,
    "readyz": readyz,
    "metrics": metrics,
}


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
