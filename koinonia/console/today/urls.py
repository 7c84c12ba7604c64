from __future__ import annotations

from django.urls import path

from koinonia.console.today.log import LogView
from koinonia.console.today.more import BannerView, MoreView, UnreadView
from koinonia.console.today.views import TodayView

urlpatterns = [
    path("", TodayView.as_view(), name="console-today"),
    path("more/", MoreView.as_view(), name="console-today-more"),
    path("log/", LogView.as_view(), name="console-today-log"),
    path("parts/unread/", UnreadView.as_view(), name="console-today-unread"),
    path("parts/banner/", BannerView.as_view(), name="console-today-banner"),
]
