from __future__ import annotations

from django.contrib import admin
from django.urls import path

from koinonia.desk import landing

urlpatterns = [
    path(
        "overview/", admin.site.admin_view(landing.overview, cacheable=True), name="desk-overview"
    ),
]
