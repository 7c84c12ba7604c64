from __future__ import annotations

from django.urls import path

from koinonia.console.help.views import HelpView

urlpatterns = [path("", HelpView.as_view(), name="console-help")]
