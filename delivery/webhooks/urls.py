"""Include these below ``webhooks/``. Each URL is taken with and without its last slash.

A redirect would lose the event: providers do not follow one, and count it as a failure.
"""

from __future__ import annotations

from django.urls import re_path

from delivery.webhooks.views import receive

app_name = "delivery_webhooks"
urlpatterns = [
    re_path(r"^(?P<alias>[a-z0-9_-]+)/?$", receive, name="provider"),
    re_path(r"^(?P<alias>[a-z0-9_-]+)/(?P<ref>[^/]+)/?$", receive, name="message"),
]
