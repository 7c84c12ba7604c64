from __future__ import annotations

from django.urls import path

from delivery.webhooks.views import receive

app_name = "delivery_webhooks"
urlpatterns = [
    path("", receive, name="telnyx"),
    path("<str:ref>/", receive, name="telnyx-message"),
]
