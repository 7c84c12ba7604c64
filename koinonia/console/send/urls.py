from __future__ import annotations

from django.urls import path

from koinonia.console.send import templates, views

urlpatterns = [
    path("", views.ComposeView.as_view(), name="console-send"),
    path("parts/recipients/", views.RecipientsView.as_view(), name="console-send-recipients"),
    path("parts/preview/", views.PreviewView.as_view(), name="console-send-preview"),
    path("templates/", templates.TemplatesView.as_view(), name="console-send-templates"),
    path("templates/<str:key>/", templates.TemplateView.as_view(), name="console-send-template"),
    path(
        "templates/<str:key>/delete/",
        templates.DeleteTemplateView.as_view(),
        name="console-send-template-delete",
    ),
]
