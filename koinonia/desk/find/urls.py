from __future__ import annotations

from django.contrib import admin
from django.urls import path

from koinonia.desk.find.views import ActView, FindView, RevealView, StoryView

urlpatterns = [
    path("", admin.site.admin_view(FindView.as_view()), name="desk-find"),
    path("<str:key>/", admin.site.admin_view(StoryView.as_view()), name="desk-story"),
    path("<str:key>/reveal/", admin.site.admin_view(RevealView.as_view()), name="desk-reveal"),
    path("<str:key>/act/", admin.site.admin_view(ActView.as_view()), name="desk-act"),
]
