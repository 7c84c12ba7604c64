"""Counts HTTP requests by the names of their routes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from koinonia.health.metrics import database_pool, instruments

_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


def count(
    request: HttpRequest | None, response: HttpResponseBase, seconds: float, *, held: bool
) -> None:
    """Count an answered request. The time of a held one says how long nothing happened: it is left out."""
    if request is None or request.path_info in _PROBES:
        return
    route = _route_of(request)
    method = request.method if request.method in _METHODS else "other"
    instruments.requests.labels(route, method, str(response.status_code)).inc()
    if not held:
        instruments.request_seconds.labels(route, method).observe(seconds)
    if isinstance(response, HttpResponse):
        instruments.response_bytes.labels(route).inc(len(response.content))
    database_pool.refresh_sometimes()


def on_body_encoded(*, before: int, after: int, **_: object) -> None:
    instruments.compressed_bytes.labels("before").inc(before)
    instruments.compressed_bytes.labels("after").inc(after)


def _route_of(request: HttpRequest) -> str:
    """Return the name of the route. Paths hold slugs and tokens, and are without bound."""
    match = request.resolver_match
    if match is None:
        return "none"
    if match.namespaces and match.namespaces[0] == "admin":
        return "admin"
    return match.view_name if match.url_name else match.route
