from __future__ import annotations

from django.urls import path

from koinonia.console.sent.again import BroadcastAgainView, TextAgainView, TextsAgainView
from koinonia.console.sent.broadcast import BroadcastView, StopBroadcastView
from koinonia.console.sent.broadcasts import BroadcastsView
from koinonia.console.sent.editing import EditBroadcastView, EditTextView
from koinonia.console.sent.series import SeriesActView, SeriesItemView, SeriesListView
from koinonia.console.sent.text import StopTextView, TextView
from koinonia.console.sent.texts import TextsView

urlpatterns = [
    path("", BroadcastsView.as_view(), name="console-sent"),
    path("broadcasts/<str:key>/", BroadcastView.as_view(), name="console-sent-broadcast"),
    path(
        "broadcasts/<str:key>/stop/",
        StopBroadcastView.as_view(),
        name="console-sent-broadcast-stop",
    ),
    path(
        "broadcasts/<str:key>/edit/",
        EditBroadcastView.as_view(),
        name="console-sent-broadcast-edit",
    ),
    path(
        "broadcasts/<str:key>/again/",
        BroadcastAgainView.as_view(),
        name="console-sent-broadcast-again",
    ),
    path("texts/", TextsView.as_view(), name="console-sent-texts"),
    path("texts/again/", TextsAgainView.as_view(), name="console-sent-texts-again"),
    path("texts/<str:key>/", TextView.as_view(), name="console-sent-text"),
    path("texts/<str:key>/stop/", StopTextView.as_view(), name="console-sent-text-stop"),
    path("texts/<str:key>/edit/", EditTextView.as_view(), name="console-sent-text-edit"),
    path("texts/<str:key>/again/", TextAgainView.as_view(), name="console-sent-text-again"),
    path("repeating/", SeriesListView.as_view(), name="console-sent-series"),
    path("repeating/<str:key>/", SeriesItemView.as_view(), name="console-sent-series-item"),
    path("repeating/<str:key>/<str:act>/", SeriesActView.as_view(), name="console-sent-series-act"),
]
