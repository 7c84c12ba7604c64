"""Include these below ``webhooks/telnyx`` without a last slash: both forms of each URL are taken.

A redirect would lose the event: Telnyx follows none, and counts it as a failure.
"""

from __future__ import annotations

from django.urls import re_path

from delivery.webhooks.views import receive

app_name = "delivery_webhooks"
urlpatterns = [
    # Also below "webhooks/telnyx/". The group keeps Django from warning about a slash at the start.
    re_path(r"^(?:/)?$", receive, name="telnyx"),
    re_path(r"^(?:/)?(?P<ref>[^/]+)/?$", receive, name="telnyx-message"),
]
