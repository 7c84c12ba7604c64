"""Who may read the metrics: addresses in METRICS_ALLOW, without a proxy between."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from django.conf import settings

from throttling.addresses import parse

_PROXY_HEADER = re.compile(
    r"""HTTP_(
        .*FORWARDED.* | .*VIA | .*REAL_IP | .*CLIENT_IP | .*CONNECTING_IP | .*ORIGINAL.* |
        .*PROXY.* | .*SSL.* | .*SCHEME | FRONT_END_HTTPS | MAX_FORWARDS | CDN_LOOP | CF_.* | FLY_.* |
        X_(AMZN|APPGW|ARR|AZURE|CLOUD|CLUSTER|ENVOY|GOOG|NGINX|TRAEFIK|VARNISH).*
    )""",
    re.VERBOSE,
)


def refusal(meta: Mapping[str, Any], http_version: str | None = None) -> str:
    """Return why a request with these CGI variables is refused; ``""`` if it is not."""
    if comes_through_a_proxy(meta, http_version):
        return "Ask the process itself: metrics are not served through a proxy."
    peer = parse(meta.get("REMOTE_ADDR", ""))
    if peer is None or not any(peer in ip_network(one) for one in settings.METRICS_ALLOW):
        return "Your address is not in METRICS_ALLOW."
    return ""


def comes_through_a_proxy(meta: Mapping[str, Any], http_version: str | None = None) -> bool:
    """Return whether a header or the protocol version shows a proxy.

    A proxy on an allowed address would open the metrics to all its clients.
    """
    if any(_PROXY_HEADER.fullmatch(name) for name in meta):
        return True
    # nginx without header directives sends no proxy header and HTTP/1.0. Prometheus sends 1.1.
    version = http_version or str(meta.get("SERVER_PROTOCOL", "")).removeprefix("HTTP/")
    return version == "1.0"
