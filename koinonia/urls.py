from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver

from throttling.logins import guarded

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/login/", guarded(admin.site.login)),
    path("admin/", admin.site.urls),
    path("api/", include("koinonia.api.urls")),
    path("", include("koinonia.console.urls")),
    path("", include("koinonia.health.urls")),
    path("webhooks/telnyx/", include("delivery.webhooks.urls")),
]
