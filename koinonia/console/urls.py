from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from koinonia.console.views import console
from throttling.logins import guarded

urlpatterns = [
    path("", console, name="console"),
    path(
        "login/",
        guarded(
            LoginView.as_view(template_name="koinonia/login.html", redirect_authenticated_user=True)
        ),
        name="login",
    ),
    path("logout/", LogoutView.as_view(next_page="login"), name="logout"),
]
