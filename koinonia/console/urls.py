from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

from koinonia.accounts.sign_in import SignInView, SignOutView
from koinonia.console.views import home, switch
from throttling.logins import guarded

urlpatterns = [
    path("", home, name="console"),
    path("churches/", switch, name="console-switch"),
    # A line per family of pages.
    path("churches/<slug:church>/", include("koinonia.console.today.urls")),
    path("churches/<slug:church>/help/", include("koinonia.console.help.urls")),
    path("churches/<slug:church>/inbox/", include("koinonia.console.inbox.urls")),
    path("churches/<slug:church>/send/", include("koinonia.console.send.urls")),
    path("churches/<slug:church>/sent/", include("koinonia.console.sent.urls")),
    path("churches/<slug:church>/members/", include("koinonia.console.members.urls")),
    path("churches/<slug:church>/", include("koinonia.console.groups.urls")),
    path("churches/<slug:church>/", include("koinonia.console.office.urls")),
    path("churches/<slug:church>/webhooks/", include("koinonia.console.webhooks.urls")),
    path("login/", guarded(SignInView.as_view()), name="login"),
    path("logout/", SignOutView.as_view(), name="logout"),
    path("language/", set_language, name="language"),
]
