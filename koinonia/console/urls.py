from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from koinonia.console.views import console, switch
from throttling.logins import guarded

urlpatterns = [
    path("", console, name="console"),
    path("churches/", switch, name="console-switch"),
    # A line per family of pages.
    path("churches/<slug:church>/", include("koinonia.console.today.urls")),
    path("churches/<slug:church>/members/", include("koinonia.console.members.urls")),
    path(
        "login/",
        guarded(
            LoginView.as_view(template_name="koinonia/login.html", redirect_authenticated_user=True)
        ),
        name="login",
    ),
    path("logout/", LogoutView.as_view(next_page="login"), name="logout"),
]
