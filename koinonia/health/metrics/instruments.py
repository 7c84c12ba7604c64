"""The counters, histograms and gauges of the work. Every label has a bounded set of values."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# A series per series, for a time that Prometheus does not need.
disable_created_metrics()

requests = Counter("koinonia_requests", "Answered HTTP requests.", ["route", "method", "status"])
request_seconds = Histogram(
    "koinonia_request_seconds",
    "Seconds from the whole request to the answer; without requests that wait for events.",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
response_bytes = Counter(
    "koinonia_response_bytes", "Bytes of the bodies of answers, as sent.", ["route"]
)
compressed_bytes = Counter(
    "koinonia_compressed_bytes", "Bytes of compressed answers: before and after.", ["stage"]
)
pool_requests = Counter("koinonia_database_pool_requests", "Connections asked of the pool.")
pool_waits = Counter(
    "koinonia_database_pool_waits", "Requests that waited for a connection of the pool."
)
pool_wait_seconds = Counter(
    "koinonia_database_pool_wait_seconds", "Seconds that they waited, summed."
)
pool_errors = Counter(
    "koinonia_database_pool_errors", "Requests to which the pool gave no connection in time."
)
pool_connections = Gauge(
    "koinonia_database_pool_connections",
    "Connections of the pool: open, idle.",
    ["state"],
    multiprocess_mode="livesum",
)
clients = Gauge(
    "koinonia_clients",
    "Clients that are told events now: socket, long_poll.",
    ["transport"],
    multiprocess_mode="livesum",
)
events_fanned_out = Counter(
    "koinonia_events_fanned_out", "Events passed to clients: each event once per client."
)
texts = Counter(
    "koinonia_texts",
    "Texts that reached this status.",
    ["outcome", "provider", "church_size"],
)
calls = Counter(
    "koinonia_calls",
    "Calls of a provider to send a text (attempts), by outcome.",
    ["outcome", "provider", "church_size"],
)
call_seconds = Histogram(
    "koinonia_call_seconds",
    "Seconds that a call of the provider took.",
    ["provider"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
lateness_seconds = Histogram(
    "koinonia_lateness_seconds",
    "Seconds from the moment a text was due to the call of the provider.",
    ["priority"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
outgoing_posts = Counter(
    "koinonia_outgoing_posts", "Posts of outgoing webhooks, by outcome.", ["outcome"]
)
webhooks = Counter(
    "koinonia_webhooks", "Answered webhooks, by HTTP status.", ["provider", "status"]
)
webhook_lag_seconds = Histogram(
    "koinonia_webhook_lag_seconds",
    "Seconds from the arrival of a webhook event to its application.",
    ["provider"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 900),
)
