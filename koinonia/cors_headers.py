"""What browsers of other origins may send and read: for the settings of django-cors-headers."""

from __future__ import annotations

METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS")
REQUEST_HEADERS = (
    "accept", "authorization", "content-encoding", "content-type", "idempotency-key", "if-match",
    "if-none-match", "x-requested-with",
)  # fmt: skip
EXPOSED = (
    "Content-Disposition", "ETag", "Idempotent-Replayed", "Location", "RateLimit",
    "RateLimit-Policy", "Retry-After", "Stream-Position", "WWW-Authenticate", "X-RateLimit-Limit",
    "X-RateLimit-Remaining", "X-RateLimit-Reset",
)  # fmt: skip
