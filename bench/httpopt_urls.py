"""The URLs of the contenders and of the project."""

from __future__ import annotations

import httpopt_peers
from django.urls import include, path
from httpopt_contenders import PlainMessagesView

urlpatterns = [
    path("plain/<slug:church>/messages/", PlainMessagesView.as_view()),
    *httpopt_peers.urlpatterns(),
    path("", include("koinonia.urls")),
]
