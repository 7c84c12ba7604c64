"""Django's admin site with the menu of the support desk."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest

from koinonia.desk import menu


class DeskConfig(AdminConfig):
    """Django's app of the admin, except that its site is the desk."""

    default_site = "koinonia.desk.site.DeskSite"


class DeskSite(AdminSite):
    site_title = site_header = "Koinonia"
    index_title = "Support desk"
    index_template = "koinonia/desk/index.html"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the sections of the menu; for the page of one app, its models alone."""
        apps = super().get_app_list(request, app_label)
        if app_label is None:
            return menu.grouped([page for app in apps for page in app["models"]], request)
        return [{**app, "models": menu.named(app["models"])} for app in apps]
