from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("webhooks/", include("delivery.webhooks.urls"))]
