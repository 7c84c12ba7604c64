from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver
from django.utils.functional import lazy
from django.views.generic import RedirectView

from koinonia.admin.site import AutocompleteView
from koinonia.health.views import ENDPOINTS
from koinonia.media.views import serve
from throttling.logins import guarded

# Lazy: the hashed name is known only after collectstatic.
_icon = lazy(static, str)("koinonia/icon.svg")

handler400 = "koinonia.api.views.errors.bad_request"
handler403 = "koinonia.api.views.errors.permission_denied"
handler404 = "koinonia.api.views.errors.page_not_found"
handler500 = "koinonia.api.views.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    # First, because programs ask it most, and Django tries the patterns in turn.
    path("api/", include("koinonia.api.urls")),
    # For pages without an icon of their own, such as the admin.
    path("favicon.ico", RedirectView.as_view(url=_icon)),
    path("admin/login/", guarded(admin.site.login)),
    path("", include("koinonia.accounts.urls")),
    path(
        "admin/autocomplete/",
        admin.site.admin_view(AutocompleteView.as_view(admin_site=admin.site)),
    ),
    path("admin/find/", include("koinonia.desk.find.urls")),
    path("admin/desk/", include("koinonia.desk.urls")),
    path("admin/", admin.site.urls),
    path("media/<str:token>.<slug:ending>", serve, name="media"),
    path("", include("koinonia.console.urls")),
    *(path(name, view) for name, view in ENDPOINTS.items()),
    path("webhooks/", include("delivery.webhooks.urls")),
]
